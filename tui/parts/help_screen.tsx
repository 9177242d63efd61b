import type { KeyBinding } from "../key_table.ts";
import { widthOf, wrapped } from "../text.ts";
import { Line } from "./line.tsx";
import { Pane } from "./pane.tsx";

export interface HelpScreenProps {
  readonly title: string;
  /** All keys, of every view. */
  readonly bindings: readonly KeyBinding[];
  /** Words that the screens use, below the keys. */
  readonly notes?: readonly string[];
  /** Lines above the first one shown. */
  readonly scroll?: number;
  readonly width: number;
  readonly height: number;
}

/** Every key and what it does; cut at the end when there is no room. */
export function HelpScreen(props: HelpScreenProps) {
  const { title, bindings, notes = [], scroll = 0, width, height } = props;
  const room = Math.max(0, height - 2);
  const lines = helpLines(bindings, notes, width - 4);
  const from = Math.max(0, Math.min(scroll, lines.length - room));
  const below = Math.max(0, lines.length - from - room);
  return (
    <Pane
      title={title}
      width={width}
      height={height}
      {...(below > 0 ? { note: `${below} below` } : {})}
    >
      {lines.slice(from, from + room).map((line, index) => (
        <Line key={index} width={width - 4} spans={line} />
      ))}
    </Pane>
  );
}

/** What it shows, line by line. */
export function helpLines(
  bindings: readonly KeyBinding[],
  notes: readonly string[],
  width: number,
): readonly string[] {
  const indent = Math.max(0, ...bindings.map(({ keys }) => widthOf(keys))) + 2;
  const keys = bindings.flatMap(({ keys, does }) =>
    wrapped(does, width - indent).map((line, index) =>
      `${(index === 0 ? keys : "").padEnd(indent)}${line}`
    )
  );
  const rest = notes.flatMap((note) => ["", ...wrapped(note, width)]);
  return [...keys, ...rest];
}
