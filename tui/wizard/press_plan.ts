import type { StepId } from "../../src/rollout/step.ts";
import type { KeyPress } from "../keys.ts";
import { to, type Transition } from "./event.ts";
import { mayAcceptRisks, startable } from "./keys.ts";
import { plannedHash } from "./planned.ts";
import { choose } from "./press_choose.ts";
import { edited, type In, isBack, OVERVIEW, show } from "./show.ts";
import {
  activeRun,
  mayAct,
  type Run,
  selectedStep,
  type WizardState,
} from "./state.ts";

export function openPlan(state: WizardState): WizardState {
  const step = startable(state);
  if (step !== null) return show(state, { kind: "plan", step: step.id });
  return { ...state, notice: whyNotStartable(state) };
}

function whyNotStartable(state: WizardState): string {
  const step = selectedStep(state);
  if (step === null) return "";
  if (state.isReadOnly) return "This screen only looks (--read-only).";
  if (!mayAct(state)) return "Not while nobody answers.";
  if (step.state === "done") return `Done already: ${step.detail}`;
  if (activeRun(state) !== null) {
    return "One step at a time: what was started from here is not at its end.";
  }
  if (step.state === "running") return `It runs: ${step.detail}`;
  if (step.id === "capability") {
    return "Each member is started with its KEK where it runs; this screen sees it.";
  }
  return step.state === "blocked" ? `Blocked: ${step.detail}` : "";
}

export function onPlan(
  state: WizardState,
  press: KeyPress,
  { step: id }: In<"plan">,
): Transition {
  if (isBack(press)) return to(show(state, OVERVIEW));
  if (press.text === "r" && mayAcceptRisks(state)) {
    return to(choose(state, "risks"));
  }
  if (press.key !== "Enter" || press.isBurst) return to(state);
  const step = startable(state);
  if (step === null) return to({ ...state, notice: whyNotStartable(state) });
  const hash = plannedHash(state, step);
  if (hash === null) {
    return to({ ...state, notice: "Wait for what the leader says to it." });
  }
  return step.isOneWay
    ? to(show(state, { kind: "confirm", step: id, typed: "", planHash: hash }))
    : start(state, id, hash);
}

export function onConfirm(
  state: WizardState,
  press: KeyPress,
  view: In<"confirm">,
): Transition {
  const { step, typed, planHash } = view;
  if (press.key === "Escape") return to(show(state, { kind: "plan", step }));
  if (press.key !== "Enter") {
    return to(show(state, { ...view, typed: edited(typed, press) }));
  }
  // What is pasted may fill the box, but starts nothing.
  if (press.isBurst || typed === "") return to(state);
  const name = state.seen?.plan.cluster ?? "";
  if (typed !== name) {
    return to({
      ...show(state, { ...view, typed: "" }),
      notice: `"${typed}" is not the name of this cluster. Nothing was done.`,
    });
  }
  return startable(state) === null
    ? to({ ...state, notice: whyNotStartable(state) })
    : start(state, step, planHash);
}

/** On to what is there by now: the step that runs, the next one, or the plan. */
export function onOvertaken(
  state: WizardState,
  { key }: KeyPress,
  { step: id }: In<"overtaken">,
): WizardState {
  if (key !== "Escape") return state;
  const step = state.seen?.plan.steps.find((step) => step.id === id);
  if (step?.state === "done" || step?.state === "running") {
    const selected = step.state === "running" ? id : null;
    return { ...show(state, OVERVIEW), selected };
  }
  return show(state, { kind: "plan", step: id });
}

function start(
  state: WizardState,
  step: StepId,
  planHash: string,
): Transition {
  const run: Run = {
    step,
    startedMs: state.seen?.snapshot.atMs ?? 0,
    endedMs: null,
    command: "",
    progress: null,
    outcomes: [],
    isOthers: false,
    error: null,
  };
  const runs = [...state.runs, run];
  return to(
    { ...show(state, OVERVIEW), selected: step, runs },
    { kind: "run", step, planHash, only: state.only },
  );
}
