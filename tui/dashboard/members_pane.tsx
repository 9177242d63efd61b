import type { Tone } from "../look.ts";
import { useLook } from "../look.ts";
import type { Column } from "../parts/columns.ts";
import { Pane } from "../parts/pane.tsx";
import { sparkline } from "../parts/sparkline.ts";
import { Table } from "../parts/table.tsx";
import { type MemberRow, memberRows } from "./member_rows.ts";
import type { PaneProps } from "./pane_props.ts";

/** Of requests, where there is room for it. */
const SPARK_COLUMNS = 24;

const COLUMNS: readonly Column<MemberRow>[] = [
  {
    title: "name",
    priority: 0,
    widthMax: 20,
    cell: ({ name, isWell }) => told(name, isWell ? "plain" : "bad"),
  },
  {
    title: "role",
    priority: 1,
    cell: ({ role, isLeader }) => told(role, isLeader ? "strong" : "plain"),
  },
  { title: "up", priority: 0, cell: ({ up }) => yesOrNo(up) },
  { title: "ready", priority: 0, cell: ({ ready }) => yesOrNo(ready) },
  {
    title: "lag",
    priority: 1,
    align: "right",
    cell: ({ lag }) => told(lag, lag.endsWith("!") ? "bad" : "plain"),
  },
  {
    title: "applied",
    priority: 4,
    align: "right",
    cell: ({ applied }) => applied,
  },
  { title: "phase", priority: 5, align: "right", cell: ({ phase }) => phase },
  {
    title: "req/s",
    priority: 2,
    align: "right",
    cell: ({ requests }) => requests.padStart(6),
  },
  {
    title: "p99",
    priority: 3,
    align: "right",
    cell: ({ p99 }) => p99.padStart(7),
  },
];

/** Who is in the cluster, and how each one does. */
export function MembersPane(props: PaneProps) {
  const { seen, width, height, isFocused, chosen } = props;
  const { isUnicode } = useLook();
  const rows = memberRows(seen);
  const well = rows.filter(({ isWell }) => isWell).length;
  const course: Column<MemberRow> = {
    title: "requests",
    priority: 6,
    cell: ({ name }) => {
      const rates = seen.history.members.get(name) ?? [];
      const values = rates.map((one) => one?.requests ?? null);
      return sparkline(values, { width: SPARK_COLUMNS, isUnicode });
    },
  };
  return (
    <Pane
      title="Members"
      note={`${well} of ${rows.length} well`}
      width={width}
      height={height}
      isFocused={isFocused}
    >
      <Table
        columns={[...COLUMNS, course]}
        rows={rows}
        width={width - 4}
        height={height - 2}
        chosen={chosen}
      />
    </Pane>
  );
}

function told(text: string, tone: Tone) {
  return { text, tone };
}

function yesOrNo(text: string) {
  return told(text, text === "NO" ? "bad" : "plain");
}
