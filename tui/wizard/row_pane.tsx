import { Line } from "../parts/line.tsx";
import { Pane } from "../parts/pane.tsx";
import type { Row } from "./paragraph.ts";

export interface RowPaneProps {
  readonly title: string;
  readonly note?: string;
  readonly rows: readonly Row[];
  /** Always at the bottom. */
  readonly pinned?: readonly Row[];
  /** Rows above the first one shown. */
  readonly offset?: number;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
  readonly isFocused?: boolean;
}

/** Rows in a box; says how many are above and below. */
export function RowPane(props: RowPaneProps) {
  const { title, rows, pinned = [], width, height, isFocused = false } = props;
  const room = Math.max(0, height - 2 - pinned.length);
  const from = Math.min(props.offset ?? 0, Math.max(0, rows.length - room));
  const shown = rows.slice(from, from + room);
  const below = rows.length - from - shown.length;
  const notes = [
    ...props.note === undefined || props.note === "" ? [] : [props.note],
    ...from === 0 ? [] : [`${from} above`],
    ...below === 0 ? [] : [`${below} below`],
  ];
  const filler = pinned.length === 0
    ? []
    : Array.from({ length: room - shown.length }, () => []);
  const all = [...shown, ...filler, ...pinned];
  return (
    <Pane
      title={title}
      note={notes.join(", ")}
      width={width}
      height={height}
      isFocused={isFocused}
    >
      {all.map((spans, at) => (
        <Line
          key={at}
          spans={spans}
          width={width - 4}
        />
      ))}
    </Pane>
  );
}
