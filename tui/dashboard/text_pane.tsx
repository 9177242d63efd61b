import { Line } from "../parts/line.tsx";
import { Pane } from "../parts/pane.tsx";
import type { TextLine } from "./facts.ts";

export interface TextPaneProps {
  readonly title: string;
  readonly lines: readonly TextLine[];
  /** Lines above the first one shown. */
  readonly skipped: number;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
}

/** Lines that are read from above to below. */
export function TextPane(
  { title, lines, skipped, width, height }: TextPaneProps,
) {
  const room = height - 2;
  const below = Math.max(0, lines.length - skipped - room);
  const notes = [
    ...skipped === 0 ? [] : [`${skipped} above`],
    ...below === 0 ? [] : [`${below} below`],
  ];
  return (
    <Pane
      title={title}
      note={notes.join(", ")}
      width={width}
      height={height}
      isFocused
    >
      {lines.slice(skipped, skipped + room).map((line, row) => (
        <Line key={row} width={width - 4} spans={line} />
      ))}
    </Pane>
  );
}
