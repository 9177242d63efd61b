import type { Column } from "../parts/columns.ts";
import { Line } from "../parts/line.tsx";
import { Pane } from "../parts/pane.tsx";
import { Table } from "../parts/table.tsx";
import { type EventRow, eventRows } from "./event_rows.ts";
import type { PaneProps } from "./pane_props.ts";

const COLUMNS: readonly Column<EventRow>[] = [
  { title: "ago", priority: 0, align: "right", cell: ({ age }) => age },
  { title: "asked for", priority: 0, cell: ({ action }) => action },
  {
    title: "result",
    priority: 0,
    cell: ({ result, isWell }) => ({
      text: result,
      tone: isWell ? "plain" : "bad",
    }),
  },
  { title: "by", priority: 1, widthMax: 24, cell: ({ actor }) => actor },
  { title: "detail", priority: 2, widthMax: 48, cell: ({ detail }) => detail },
];

/** What was asked of the cluster, the newest first. */
export function EventsPane(props: PaneProps) {
  const { seen, width, height, isFocused, chosen } = props;
  const rows = eventRows(seen.events, seen.nowMs);
  return (
    <Pane
      title="Events"
      {...(rows.length === 0 ? {} : { note: `${rows.length}, newest first` })}
      width={width}
      height={height}
      isFocused={isFocused}
    >
      {rows.length === 0
        ? <Line width={width - 4} spans="nothing was asked for yet" />
        : (
          <Table
            columns={COLUMNS}
            rows={rows}
            width={width - 4}
            height={height - 2}
            chosen={chosen}
            isTitled={false}
          />
        )}
    </Pane>
  );
}
