import { Line } from "../parts/line.tsx";
import { Pane } from "../parts/pane.tsx";
import { type Content, offsetMaxOf } from "./content.ts";

export interface RowPaneProps {
  readonly content: Content;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
}

/** Rows in a box; says how many are above and below. */
export function RowPane({ content, width, height }: RowPaneProps) {
  const { title, note = "", rows, pinned = [] } = content;
  const room = Math.max(0, height - 2 - pinned.length);
  const from = Math.min(content.offset, offsetMaxOf(content, height));
  const shown = rows.slice(from, from + room);
  const below = rows.length - from - shown.length;
  const notes = [
    ...note === "" ? [] : [note],
    ...from === 0 ? [] : [`${from} above`],
    ...below === 0 ? [] : [`${below} below, PgDn`],
  ];
  const filler = pinned.length === 0
    ? []
    : Array.from({ length: room - shown.length }, () => []);
  return (
    <Pane
      title={title}
      note={notes.join(", ")}
      width={width}
      height={height}
    >
      {[...shown, ...filler, ...pinned].map((spans, at) => (
        <Line key={at} spans={spans} width={width - 4} />
      ))}
    </Pane>
  );
}
