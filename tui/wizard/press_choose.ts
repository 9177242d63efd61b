import type { KeyPress } from "../keys.ts";
import { besideRate, type Choice, choicesOf, jobOf } from "./choices.ts";
import { to, type Transition } from "./event.ts";
import { isPausable } from "./keys.ts";
import type { PlanOf } from "./reduce.ts";
import { type In, isBack, OVERVIEW, show } from "./show.ts";
import {
  type ChoiceKind,
  mayAct,
  selectedStep,
  type WizardState,
} from "./state.ts";

/** The step stays selected: what is chosen is of it, whichever comes next. */
export function choose(state: WizardState, what: ChoiceKind): WizardState {
  const selected = selectedStep(state)?.id ?? null;
  return show({ ...state, selected }, { kind: "choose", what, at: 0 });
}

export function onSteer(state: WizardState, text: string): Transition {
  switch (text) {
    case "d":
      return to(choose(state, "dwell"));
    case "t":
      return to(choose(state, "rate"));
    case "+":
    case "=":
      return take(state, besideRate(state, 1));
    case "-":
      return take(state, besideRate(state, -1));
    case "p": {
      const job = jobOf(state);
      return job === null || !isPausable(state) ? to(state) : to(state, {
        kind: "steer",
        command: job.isPaused
          ? { kind: "resume-rewrite", bytesPerSecond: null, isFollowed: false }
          : { kind: "pause-rewrite" },
      });
    }
    default:
      return to(state);
  }
}

function take(state: WizardState, choice: Choice | null): Transition {
  if (choice === null) return to(state);
  const { choices, command, label, only } = choice;
  const next = { ...state, choices, only };
  return command === null
    ? to({ ...next, notice: `Chosen: ${label}.` })
    : to(next, { kind: "steer", command });
}

export function onChoose(
  state: WizardState,
  press: KeyPress,
  { view, planOf }: { readonly view: In<"choose">; readonly planOf: PlanOf },
): Transition {
  const { what, at } = view;
  const step = selectedStep(state);
  if (step === null || isBack(press)) return to(show(state, OVERVIEW));
  const all = choicesOf(state, what, step.id);
  if (press.key === "Up" || press.key === "Down") {
    const moved = at + (press.key === "Up" ? -1 : 1);
    const bounded = Math.min(all.length - 1, Math.max(0, moved));
    return to(show(state, { ...view, at: bounded }));
  }
  const isTaken = press.key === "Enter" || press.text === " ";
  if (!isTaken || press.isBurst || !mayAct(state)) return to(state);
  const taken = take(state, all[at] ?? null);
  const after = what === "risks"
    ? taken.state
    : { ...taken.state, view: OVERVIEW };
  return { ...taken, state: replanned(after, planOf) };
}

/** Choices are part of the plan: it shows them at once. */
function replanned(state: WizardState, planOf: PlanOf): WizardState {
  const { seen, choices } = state;
  if (seen === null) return state;
  return { ...state, seen: { ...seen, plan: planOf(seen.snapshot, choices) } };
}
