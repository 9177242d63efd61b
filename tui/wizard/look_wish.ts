import type { RolloutChoices } from "../../src/rollout/snapshot.ts";
import type { RolloutStep, StepId } from "../../src/rollout/step.ts";
import { isBusy, selectedStep, type WizardState } from "./state.ts";

/** How what is on the screen wants to be kept true. */
export interface LookWish {
  /** From the end of one look to the next. */
  readonly everyMs: number;
  /** Between looks for which every member proves and a step is rehearsed. */
  readonly fullMs: number;
  /** `null`: the next step. */
  readonly rehearse: StepId | null;
  /** What a rehearsal is made with. */
  readonly choices: RolloutChoices;
}

const IDLE_MS = 2_000;
const BUSY_MS = 1_000;
const FULL_MS = 10_000;
/** On a screen from which a step is taken. */
const PLAN_FULL_MS = 5_000;

export function wishOf(state: WizardState): LookWish {
  const { view } = state;
  const isPlan = view.kind === "plan" || view.kind === "confirm";
  const step = selectedStep(state);
  return {
    everyMs: isBusy(state) ? BUSY_MS : IDLE_MS,
    fullMs: isPlan ? PLAN_FULL_MS : FULL_MS,
    rehearse: isPlan && step !== null && isWorthAsking(step) ? step.id : null,
    choices: state.choices,
  };
}

/** Nothing is in the way of `step`, unless the leader says so itself. */
export function isWorthAsking({ id, state, checks }: RolloutStep): boolean {
  if (id === "capability") return false;
  if (state !== "blocked") return state === "ready" || state === "failed";
  const failing = checks.filter(({ verdict }) => verdict === "fail");
  return failing.length > 0 && failing.every(({ id }) => id === "P01");
}
