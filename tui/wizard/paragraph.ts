import type { Tone } from "../look.ts";
import type { Span } from "../parts/line.tsx";
import { widthOf, wrapped } from "../text.ts";

/** One row of a pane, in pieces. */
export type Row = readonly Span[];

export const BLANK: Row = [];

export function row(text: string, tone: Tone = "plain"): Row {
  return [{ text, tone }];
}

export interface Paragraph {
  readonly text: string;
  readonly tone?: Tone;
  /** Of the pane. */
  readonly width: number;
}

/** `text` in the columns beside `head`, which stands at its first row. */
export function hanging(head: Row, paragraph: Paragraph): readonly Row[] {
  const { text, tone = "plain", width } = paragraph;
  const indent = head.reduce((sum, { text }) => sum + widthOf(text), 0);
  const rows = wrapped(text, Math.max(8, width - indent));
  return rows.map((row, at) => [
    ...at === 0 ? head : [{ text: " ".repeat(indent) }],
    { text: row, tone },
  ]);
}

export function paragraph(given: Paragraph): readonly Row[] {
  return hanging([], given);
}
