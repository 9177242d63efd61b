import type { TextLine } from "../parts/line.tsx";
import { paneLines } from "../parts/pane.tsx";

export interface TextPaneOptions {
  readonly title: string;
  readonly lines: readonly TextLine[];
  /** Lines above the first one shown. */
  readonly skipped: number;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
  readonly isUnicode: boolean;
}

/** Lines that are read from above to below. */
export function textPane(options: TextPaneOptions): readonly TextLine[] {
  const { lines, skipped, height } = options;
  const room = height - 2;
  const below = Math.max(0, lines.length - skipped - room);
  const notes = [
    ...skipped === 0 ? [] : [`${skipped} above`],
    ...below === 0 ? [] : [`${below} below`],
  ];
  return paneLines({
    ...options,
    note: notes.join(", "),
    isFocused: true,
    lines: lines.slice(skipped, skipped + room),
  });
}
