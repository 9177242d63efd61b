import type { Span, TextLine } from "../parts/line.tsx";
import { paneLines } from "../parts/pane.tsx";
import { sparkline } from "../parts/sparkline.ts";
import { ageText } from "./amount.ts";
import type { PaneProps } from "./pane_props.ts";
import { type TrafficRow, trafficRows } from "./traffic_rows.ts";

const LABEL_COLUMNS = 9;
const NOW_COLUMNS = 10;
const PEAK_COLUMNS = 15;
const GAP = "  ";

export interface TrafficPaneProps extends PaneProps {
  /** Whose traffic; "" for the cluster's. */
  readonly member: string;
  readonly intervalMs: number;
}

/** What members are busy with, and how it went so far. */
export function trafficPane(props: TrafficPaneProps): readonly TextLine[] {
  const { seen, width, height, isFocused, isUnicode, member, intervalMs } =
    props;
  const { history } = seen;
  const course = member === ""
    ? history.cluster
    : history.members.get(member) ?? [];
  const room = width - 4 - LABEL_COLUMNS - NOW_COLUMNS - PEAK_COLUMNS -
    3 * GAP.length;
  const shown = course.slice(-room);
  const peer = isFocused ? ", Up/Dn another" : "";
  const whose = member === "" ? "the cluster" : member;
  return paneLines({
    ...props,
    title: `Traffic of ${whose}${peer}`,
    note: `last ${ageText(room * intervalMs)}`,
    lines: trafficRows(shown, height - 2).map((row) =>
      rowSpans(row, { width: room, isUnicode })
    ),
  });
}

function rowSpans(
  { label, now, peak, values }: TrafficRow,
  room: { readonly width: number; readonly isUnicode: boolean },
): readonly Span[] {
  return [
    { text: label.padEnd(LABEL_COLUMNS) + GAP, tone: "dim" },
    { text: now.padStart(NOW_COLUMNS) + GAP, tone: "strong" },
    { text: sparkline(values, room) + GAP, tone: "good" },
    { text: peak === "" ? "" : `peak ${peak}`, tone: "dim" },
  ];
}
