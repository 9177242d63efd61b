import type { KeyBinding } from "../key_table.ts";
import { widthOf, wrapped } from "../text.ts";

/** Every key and what it does, then the notes, line by line. */
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
