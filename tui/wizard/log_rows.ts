import type { Tone } from "../look.ts";
import { clockText } from "./amount.ts";
import { hanging, type Row, row } from "./paragraph.ts";
import type { LogLine } from "./state.ts";

const TONES: Readonly<Record<LogLine["kind"], Tone>> = {
  command: "strong",
  result: "good",
  error: "bad",
  event: "plain",
};

/** Commands of this screen, their results, and what others did. */
export function logRows(
  log: readonly LogLine[],
  width: number,
): readonly Row[] {
  if (log.length === 0) {
    return [row("Nothing was asked for from here yet.", "dim")];
  }
  return log.flatMap(({ atMs, kind, text }) => {
    const indent = kind === "result" || kind === "error" ? "  " : "";
    const head = `${clockText(atMs)} ${indent}`;
    const tone = TONES[kind];
    return hanging([{ text: head, tone: "dim" }], { text, tone, width });
  });
}
