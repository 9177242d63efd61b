import { Bar } from "../parts/bar.tsx";
import type { Column } from "../parts/columns.ts";
import { Line } from "../parts/line.tsx";
import { Pane } from "../parts/pane.tsx";
import { Table } from "../parts/table.tsx";
import { type KeyRow, keyRows } from "./key_rows.ts";
import type { PaneProps } from "./pane_props.ts";
import { latestEncryption, type Seen } from "./seen.ts";
import { workOf } from "./work.ts";

const COLUMNS: readonly Column<KeyRow>[] = [
  { title: "key", priority: 0, align: "right", cell: ({ id }) => id },
  { title: "purpose", priority: 0, cell: ({ purpose }) => purpose },
  {
    title: "state",
    priority: 0,
    cell: ({ state }) => ({
      text: state,
      tone: state === "active" ? "good" : "plain",
    }),
  },
  { title: "age", priority: 1, align: "right", cell: ({ age }) => age },
  { title: "sealed", priority: 2, align: "right", cell: ({ seals }) => seals },
  {
    title: "writers",
    priority: 3,
    align: "right",
    cell: ({ writers }) => writers,
  },
  {
    title: "wrapped under",
    priority: 4,
    widthMax: 40,
    cell: ({ kek }) => kek,
  },
];

/** What is under way with encryption, and the data keys. */
export function KeysPane(props: PaneProps) {
  const { seen, width, height, isFocused, chosen } = props;
  const rows = keyRows({
    nowMs: seen.nowMs,
    encryption: seen.encryption,
    vitals: seen.history.last,
  });
  const work = workOf(seen);
  const retired = latestEncryption(seen.encryption)?.retired.length ?? 0;
  const labels = Math.max(0, ...work.map(({ action }) => action.length));
  return (
    <Pane
      title="Keys"
      {...(retired === 0 ? {} : { note: `${retired} retired` })}
      width={width}
      height={height}
      isFocused={isFocused}
    >
      {work.map(({ action, share, text }) => (
        <Bar
          key={action}
          ratio={share}
          label={action.padEnd(labels)}
          note={text}
          width={width - 4}
        />
      ))}
      {rows.length === 0
        ? <Line width={width - 4} spans={absentText(seen)} />
        : (
          <Table
            columns={COLUMNS}
            rows={rows}
            width={width - 4}
            height={height - 2 - work.length}
            chosen={chosen}
          />
        )}
    </Pane>
  );
}

function absentText({ encryption }: Seen): string {
  return latestEncryption(encryption) === null
    ? "not told yet"
    : "no keys yet: `sealkv encryption bootstrap` draws them";
}
