import type { Tone } from "../look.ts";
import { type Column, fitColumns } from "../parts/columns.ts";
import type { TextLine } from "../parts/line.tsx";
import { paneLines } from "../parts/pane.tsx";
import { sparkline } from "../parts/sparkline.ts";
import { tableLines } from "../parts/table.tsx";
import { type MemberRow, memberRows } from "./member_rows.ts";
import type { PaneProps } from "./pane_props.ts";

/** Of the course of requests: less says nothing, more is hard to follow. */
const SPARK_COLUMNS_MIN = 10;
const SPARK_COLUMNS_MAX = 60;
const CURSOR_COLUMNS = 2;
const GAP = 2;

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
export function membersPane(props: PaneProps): readonly TextLine[] {
  const { seen, width, height, chosen, isUnicode } = props;
  const rows = memberRows(seen);
  const well = rows.filter(({ isWell }) => isWell).length;
  const sparkColumns = roomBeside(rows, width - 4 - CURSOR_COLUMNS);
  const course: Column<MemberRow> = {
    title: "requests",
    priority: 6,
    cell: ({ name }) => {
      const rates = seen.history.members.get(name) ?? [];
      const values = rates.map((one) => one?.requests ?? null);
      const text = sparkline(values, { width: sparkColumns, isUnicode });
      return told(text, "good");
    },
  };
  return paneLines({
    ...props,
    title: "Members",
    note: `${well} of ${rows.length} well`,
    lines: tableLines({
      columns: sparkColumns === 0 ? COLUMNS : [...COLUMNS, course],
      rows,
      width: width - 4,
      height: height - 2,
      chosen,
    }),
  });
}

/** What the other columns leave for the course; 0 when that is too little. */
function roomBeside(rows: readonly MemberRow[], width: number): number {
  const used = fitColumns(COLUMNS, { rows, width })
    .reduce((sum, column) => sum + column.width + GAP, 0);
  const room = Math.min(SPARK_COLUMNS_MAX, width - used);
  return room < SPARK_COLUMNS_MIN ? 0 : room;
}

function told(text: string, tone: Tone) {
  return { text, tone };
}

function yesOrNo(text: string) {
  return told(text, text === "NO" ? "bad" : "plain");
}
