import type { ClusterTask } from "../../src/admin/client.ts";
import { sizeText } from "../../src/base/size.ts";
import type { RateEstimate } from "../../src/rollout/rate_meter.ts";
import type { StepProgress } from "../../src/rollout/step.ts";
import { barText } from "../parts/bar_text.ts";
import { widthOf } from "../text.ts";
import { rangeText, spanText } from "./amount.ts";
import { hanging, type Row, row } from "./paragraph.ts";

export interface ProgressRowsOptions {
  /** `null` while it is too early to tell. */
  readonly estimate: RateEstimate | null;
  readonly width: number;
  readonly isUnicode: boolean;
}

/** A bar for each member, and how all of it gets on. */
export function progressRows(
  { tasks, isPaused, bytesPerSecond }: StepProgress,
  { estimate, width, isUnicode }: ProgressRowsOptions,
): readonly Row[] {
  const names = Math.max(0, ...tasks.map(({ member }) => widthOf(member)));
  const bars = tasks.map((task): Row => {
    const text = barText({
      label: task.member.padEnd(names),
      ratio: ratioOf(task),
      note: noteOf(task),
      width,
      isUnicode,
    });
    const isBad = task.state === "failed" || task.state === "silent";
    return row(text, isBad ? "bad" : "plain");
  });
  const failures = tasks.filter(({ failure }) => failure !== "").flatMap((
    { member, failure },
  ) =>
    hanging([{ text: "[!] ", tone: "bad" }], {
      text: `${member}: ${failure}`,
      width,
    })
  );
  const whole = [
    ...isPaused ? ["paused"] : [],
    ...estimate === null
      ? []
      : [`${sizeText(estimate.bytesPerSecond)}/s in all`, etaText(estimate)],
    ...bytesPerSecond === null ? [] : [boundText(bytesPerSecond)],
  ];
  return [
    ...bars,
    ...failures,
    ...whole.length === 0 ? [] : [row(whole.join(", "), "dim")],
  ];
}

/** Of what a member has to do; `null` when it is not known. */
function ratioOf({ state, done, total }: ClusterTask): number | null {
  if (state === "done") return 1;
  return total === 0n ? null : Math.min(1, Number(done) / Number(total));
}

function noteOf({ state, done, total, elapsedMs }: ClusterTask): string {
  const took = spanText(Number(elapsedMs));
  // One thing to do for all: it was applied, or not yet.
  if (total === 1n && state === "done") return `done in ${took}`;
  const seen = total === 0n ? String(done) : `${done} of ${total}`;
  switch (state) {
    case "running":
      return `${seen} records`;
    case "done":
      return `done, ${done} records in ${took}`;
    case "paused":
      return `paused at ${seen} records`;
    case "silent":
      return "NO ANSWER";
    case "failed":
      return "FAILED";
    default:
      return state;
  }
}

function etaText({ remainingMs: { least, most } }: RateEstimate): string {
  return Number.isFinite(most)
    ? `done in ${rangeText(least, most)}`
    : "a member stands still";
}

function boundText(bytesPerSecond: bigint): string {
  return bytesPerSecond === 0n
    ? "no bound"
    : `at most ${sizeText(Number(bytesPerSecond))}/s on each member`;
}
