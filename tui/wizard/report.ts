import { timeText } from "../../src/base/time_text.ts";
import { spanText } from "./amount.ts";
import { activeRun, type Run, type Seen, type WizardState } from "./state.ts";

/** For the main screen once the wizard is gone: what was done, what is next. */
export function reportLines(
  state: WizardState,
  transcript: string,
): readonly string[] {
  const { seen, runs, demo } = state;
  if (seen === null) return [];
  const { cluster, phase, steps } = seen.plan;
  const ladder = steps.filter(({ id }) => id !== "rotate" && id !== "retire");
  const done = ladder.filter((step) => step.state === "done").length;
  const titleOf = (id: string) =>
    steps.find((step) => step.id === id)?.title ?? id;
  return [
    `${cluster}: phase ${phase}, ${done} of ${ladder.length} steps done`,
    ...runs.map((run) => `  ${titleOf(run.step)}: ${runText(run)}`),
    ...othersLines(state),
    // Its nodes stop now: nothing of it is to be gone on with from here.
    ...demo === null ? goOnLines(state, seen, transcript) : [],
  ];
}

function goOnLines(
  state: WizardState,
  { plan: { steps, next } }: Seen,
  transcript: string,
): readonly string[] {
  const following = steps.find(({ id }) => id === next);
  return [
    ...state.runs.length === 0 ? [] : [`transcript: ${transcript}`],
    ...activeRun(state) === null
      ? []
      : ["What runs goes on. Come back with: sealkv rollout"],
    ...following === undefined
      ? ["All steps are done; rotate and retire keys from time to time."]
      : [
        `next: ${following.title}`,
        ...following.commands.map((line) => `  ${line}`),
      ],
  ];
}

function runText({ startedMs, endedMs, error, outcomes, isOthers }: Run) {
  const at = timeText(startedMs);
  if (error !== null) return `${error.code} (${at})`;
  if (endedMs === null) return `begun ${at}, not over yet`;
  const index = outcomes.findLast(({ index }) => index > 0n)?.index ?? 0n;
  return [
    isOthers ? "done by somebody else" : "done",
    ...index === 0n ? [] : [`index ${index}`],
    at,
    `took ${spanText(endedMs - startedMs)}`,
  ].join(", ");
}

/** What somebody else did meanwhile. */
function othersLines({ log }: WizardState): readonly string[] {
  return log.filter(({ kind }) => kind === "event")
    .map(({ atMs, text }) => `  ${text} (${timeText(atMs)})`);
}
