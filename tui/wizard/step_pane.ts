import type { RolloutStep } from "../../src/rollout/step.ts";
import { jobOf, rateText } from "./choices.ts";
import { checkRows, checkSummary, escrowRows } from "./check_rows.ts";
import { markOf, standingOf } from "./ladder_rows.ts";
import { BLANK, hanging, paragraph, type Row, row } from "./paragraph.ts";
import { progressRows } from "./progress_rows.ts";
import { resultRows } from "./result_rows.ts";
import { timeText } from "../../src/base/time_text.ts";
import { spanText } from "./amount.ts";
import {
  activeRun,
  lastRun,
  type Seen,
  stepUnderWay,
  type WizardState,
} from "./state.ts";

export interface PaneLook {
  readonly width: number;
  readonly isUnicode: boolean;
}

/** Everything about the selected step, what matters now first. */
export function stepRows(
  state: WizardState,
  { step, seen }: { readonly step: RolloutStep; readonly seen: Seen },
  look: PaneLook,
): readonly Row[] {
  const { width } = look;
  const isOwn = stepUnderWay(state) === step.id;
  const standing = isOwn ? "running" : standingOf(seen.plan, step);
  const detail = isOwn && step.state !== "running"
    ? "started from here"
    : step.detail;
  const isStuck = standing === "blocked" || standing === "failed";
  const checks = checksOf(state, step, width);
  const about = state.issuesOnly ? [] : aboutRows(step, width);
  const parts = [
    hanging([{
      text: `${standing.toUpperCase()}: `,
      tone: markOf(standing).tone,
    }], { text: detail, width }),
    liveRows(state, step, look),
    ...step.id === "rewrite" ? [dwellRows(state, seen, width)] : [],
    ...isStuck ? [checks, about] : [about, checks],
    state.issuesOnly ? [] : commandRows(state, step, width),
  ];
  return parts.filter((rows) => rows.length > 0)
    .flatMap((rows, at) => at === 0 ? rows : [BLANK, ...rows]);
}

/** What members are at, or what became of what was started from here. */
function liveRows(
  state: WizardState,
  step: RolloutStep,
  { width, isUnicode }: PaneLook,
): readonly Row[] {
  const run = lastRun(state, step.id);
  const active = activeRun(state)?.step === step.id ? run : null;
  const progress = active?.progress ?? step.progress;
  const { estimate } = state;
  return [
    ...active === null || active.command === ""
      ? []
      : [row(`$ ${active.command}`, "strong")],
    ...progress === null
      ? []
      : progressRows(progress, { estimate, width, isUnicode }),
    ...run === null || active !== null || state.seen === null
      ? []
      : resultRows(run, { seen: state.seen, width }),
  ];
}

function dwellRows(
  state: WizardState,
  { snapshot }: Seen,
  width: number,
): readonly Row[] {
  const { choices } = state;
  const isBegun = jobOf(state) !== null;
  const untilMs = isBegun || snapshot.rollout?.dwellUntilMs !== 0n
    ? Number(snapshot.rollout?.dwellUntilMs ?? 0n)
    : choices.dwellUntilMs;
  const leftMs = untilMs - snapshot.atMs;
  const dwell = leftMs > 0
    ? `${spanText(leftMs)} left, until ${timeText(untilMs)}`
    : untilMs > 0
    ? "over"
    : "none";
  const rate = isBegun ? [] : [
    hanging([{ text: "Rate   ", tone: "strong" }], {
      text: `${rateText(choices.bytesPerSecond)} (+/- or t)`,
      width,
    }),
  ];
  return [
    hanging([{ text: "Dwell  ", tone: "strong" }], {
      text: `${dwell} (d)`,
      width,
    }),
    ...rate,
  ].flat();
}

/** What never changes about it. */
export function aboutRows(
  { does, undo, noticed, isOneWay }: RolloutStep,
  width: number,
): readonly Row[] {
  return [
    ...paragraph({ text: does, width }),
    ...hanging([{ text: "Undo: ", tone: isOneWay ? "warn" : "strong" }], {
      text: undo,
      width,
    }),
    ...hanging([{ text: "Users notice: ", tone: "strong" }], {
      text: noticed,
      width,
    }),
  ];
}

function checksOf(
  state: WizardState,
  step: RolloutStep,
  width: number,
): readonly Row[] {
  const { showsAll, issuesOnly, isEscrowProven } = state;
  if (step.state === "done" && !showsAll) return [];
  const escrow = step.id === "capability" && !(issuesOnly && isEscrowProven)
    ? escrowRows(isEscrowProven, width)
    : [];
  const checks = step.checks.filter(({ id }) => id !== "K05");
  const rows = [
    ...checkRows(checks, { showsAll, issuesOnly, width }),
    ...escrow,
  ];
  if (rows.length === 0) return issuesOnly ? [row("No issues.", "good")] : [];
  return [row(`Checks: ${checkSummary(checks)}`, "strong"), ...rows];
}

/** What does the same without this screen. */
export function commandRows(
  { only }: WizardState,
  { id, commands }: RolloutStep,
  width: number,
): readonly Row[] {
  const rows = commands.flatMap((line) =>
    hanging([{ text: "  $ ", tone: "dim" }], {
      text: line,
      tone: only === null || only === line ? "plain" : "dim",
      width,
    })
  );
  const head = id === "capability" ? "To look at it:" : "Same as:";
  return rows.length === 0 ? [] : [row(head, "strong"), ...rows];
}
