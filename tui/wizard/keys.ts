import type { RolloutStep } from "../../src/rollout/step.ts";
import type { KeyBinding } from "../key_table.ts";
import { KEYS } from "./bindings.ts";
import { choicesOf, jobOf, risksOf } from "./choices.ts";
import {
  activeRun,
  type ChoiceKind,
  mayAct,
  selectedStep,
  stepUnderWay,
  type WizardState,
} from "./state.ts";

/** Keys that do something now, the most wanted first; help and leave last. */
export function keysNow(state: WizardState): readonly KeyBinding[] {
  switch (state.view.kind) {
    case "overview":
      return overviewKeys(state);
    case "plan":
      return planKeys(state);
    case "overtaken":
      return [KEYS.back];
    case "confirm":
      return [...given(startable(state) !== null, KEYS.goOn), KEYS.back];
    case "escrow":
      return [KEYS.goOn, KEYS.back];
    case "choose":
      return chooseKeys(state, state.view.what);
    case "log":
    case "help":
      return [KEYS.scroll, KEYS.back];
    case "leave":
      return [KEYS.leaveNow, KEYS.stay];
  }
}

/** What Enter would start; `null` when it would not. */
export function startable(state: WizardState): RolloutStep | null {
  const step = selectedStep(state);
  return step !== null && step.id !== "capability" && mayAct(state) &&
      stepUnderWay(state) === null &&
      (step.state === "ready" || step.state === "failed")
    ? step
    : null;
}

/** The rewrite is selected and may be steered. */
export function isSteerable(state: WizardState): boolean {
  return mayAct(state) && selectedStep(state)?.id === "rewrite" &&
    (state.seen?.plan.phase ?? 0) > 0;
}

/** There is a rewrite that is not at its end. */
export function isPausable(state: WizardState): boolean {
  const isRunning = selectedStep(state)?.state === "running" ||
    activeRun(state)?.step === "rewrite";
  return isSteerable(state) && isRunning && jobOf(state) !== null;
}

export function mayAcceptRisks(state: WizardState): boolean {
  const step = selectedStep(state);
  return mayAct(state) && step !== null && step.state !== "done" &&
    risksOf(step.id).length > 0;
}

/** Keys are rotated and retired one by one, or all of them. */
export function hasCommandsToChoose(state: WizardState): boolean {
  const step = startable(state);
  return step !== null && step.commands.length > 1 &&
    (step.id === "rotate" || step.id === "retire");
}

export function mayProveEscrow(state: WizardState): boolean {
  return mayAct(state) && !state.isEscrowProven &&
    selectedStep(state)?.id === "capability";
}

function overviewKeys(state: WizardState): readonly KeyBinding[] {
  if (state.seen === null) return [KEYS.help, KEYS.leave];
  const isSteered = isSteerable(state);
  return [
    ...given(startable(state) !== null, KEYS.plan),
    ...given(mayProveEscrow(state), KEYS.escrow),
    ...given(isSteered, KEYS.dwell, KEYS.rate),
    ...given(isPausable(state), KEYS.pause),
    ...given(hasCommandsToChoose(state), KEYS.commands),
    ...given(mayAcceptRisks(state), KEYS.risks),
    KEYS.move,
    KEYS.pane,
    KEYS.all,
    KEYS.issues,
    KEYS.log,
    KEYS.help,
    KEYS.leave,
  ];
}

function planKeys(state: WizardState): readonly KeyBinding[] {
  const step = startable(state);
  const enter = step?.isOneWay === true ? KEYS.confirm : KEYS.start;
  return [
    ...given(step !== null, enter),
    ...given(mayAcceptRisks(state), KEYS.risks),
    KEYS.back,
  ];
}

function chooseKeys(
  state: WizardState,
  what: ChoiceKind,
): readonly KeyBinding[] {
  const step = selectedStep(state);
  const all = step === null ? [] : choicesOf(state, what, step.id);
  return [
    ...given(all.length > 1, KEYS.move),
    ...given(all.length > 0 && mayAct(state), KEYS.take),
    KEYS.back,
  ];
}

function given(holds: boolean, ...keys: KeyBinding[]): readonly KeyBinding[] {
  return holds ? keys : [];
}
