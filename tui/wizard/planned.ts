import type { RolloutStep } from "../../src/rollout/step.ts";
import type { WizardState } from "./state.ts";

/**
 * Hash of what the leader said it would do; "" when that is more than one
 * command, `null` before it said so.
 */
export function plannedHash(
  { seen }: WizardState,
  { id, commands }: RolloutStep,
): string | null {
  const rehearsal = seen?.snapshot.rehearsal ?? null;
  if (commands.length !== 1) return "";
  const isOfThis = rehearsal?.step === id && rehearsal.command === commands[0];
  if (!isOfThis) return null;
  return rehearsal.outcome?.plan.hash ?? null;
}
