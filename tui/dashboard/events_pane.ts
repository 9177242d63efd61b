import type { Column } from "../parts/columns.ts";
import type { TextLine } from "../parts/line.tsx";
import { paneLines } from "../parts/pane.tsx";
import { tableLines } from "../parts/table.tsx";
import { AGE_LENGTH_MAX } from "./amount.ts";
import { type EventRow, eventRows } from "./event_rows.ts";
import type { PaneProps } from "./pane_props.ts";

const COLUMNS: readonly Column<EventRow>[] = [
  {
    title: "ago",
    priority: 0,
    align: "right",
    // As wide as it gets: the columns after it must not move with time.
    cell: ({ age }) => age.padStart(AGE_LENGTH_MAX),
  },
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
export function eventsPane(props: PaneProps): readonly TextLine[] {
  const { seen, width, height, chosen } = props;
  const rows = eventRows(seen.events, seen.nowMs);
  return paneLines({
    ...props,
    title: "Events",
    note: rows.length === 0 ? "" : `${rows.length}, newest first`,
    lines: rows.length === 0 ? ["nothing was asked for yet"] : tableLines({
      columns: COLUMNS,
      rows,
      width: width - 4,
      height: height - 2,
      chosen,
      isTitled: false,
    }),
  });
}
