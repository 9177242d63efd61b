import { mayProveEscrow, startable } from "./keys.ts";
import { standingOf } from "./ladder_rows.ts";
import { paragraph, type Row } from "./paragraph.ts";
import {
  mayAct,
  type Seen,
  selectedStep,
  stepUnderWay,
  type WizardState,
} from "./state.ts";

/** Pinned below the selected step: what is to be done now. */
export function nextKeyRows(state: WizardState, width: number): readonly Row[] {
  const { seen } = state;
  const text = seen === null || !mayAct(state) ? "" : nextKeyText(state, seen);
  return text === "" ? [] : paragraph({ text, tone: "strong", width });
}

function nextKeyText(state: WizardState, { plan }: Seen): string {
  const step = selectedStep(state);
  if (step === null) return "";
  if (stepUnderWay(state) !== null || step.state === "running") {
    return "It runs; the next step shows when it is done.";
  }
  if (startable(state) !== null) {
    return plan.next === null
      ? "Enter shows what it would do; any day will do."
      : "Enter shows what it would do; nothing starts yet.";
  }
  if (plan.next === null) {
    return "All is done, q leaves. Keys can be rotated any day.";
  }
  if (mayProveEscrow(state) && step.state === "done") {
    return "Done. Esc goes to the next step, e checks the escrow.";
  }
  if (step.state === "done") return "Done. Esc goes to the next step.";
  return standingOf(plan, step) === "later"
    ? "Its turn comes later. Esc goes to the next step."
    : "Put right what [!] names; it shows here by itself.";
}
