import { appliedText } from "./applied.ts";
import { spanText } from "./amount.ts";
import { hanging, type Row, row } from "./paragraph.ts";
import type { Run, Seen } from "./state.ts";

/** What became of a step that was started from here. */
export function resultRows(
  run: Run,
  { seen, width, head = "Result: " }: {
    readonly seen: Seen;
    readonly width: number;
    readonly head?: string;
  },
): readonly Row[] {
  const { error, startedMs, endedMs } = run;
  const took = endedMs === null
    ? ""
    : `, took ${spanText(endedMs - startedMs)}`;
  if (error !== null) {
    const { code, message, remedy } = error;
    return [
      row(`error[${code}]`, "bad"),
      ...hanging([{ text: "  " }], { text: message, width }),
      ...hanging([{ text: "  fix: ", tone: "dim" }], { text: remedy, width }),
    ];
  }
  const outcome = run.outcomes.findLast(({ index }) => index > 0n) ??
    run.outcomes.at(-1);
  if (outcome === undefined) return [];
  const { index, unreachable } = outcome;
  // The last of several commands may only look.
  const isOwn = !run.isOthers && run.outcomes.some(({ changed }) => changed);
  const word = !isOwn
    ? "somebody else did it, or it was so before"
    : index === 0n
    ? "done"
    : `committed at index ${index}, ${appliedText(seen, run, index)}`;
  const silent = unreachable.length === 0
    ? ""
    : `; not asked, for they do not answer: ${unreachable.join(", ")}`;
  return hanging([{ text: head, tone: "good" }], {
    text: `${word}${took}${silent}`,
    width,
  });
}
