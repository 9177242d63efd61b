import type { StepId } from "./step.ts";

/** Actions as the history names them, by the step that asks for them. */
const STEP_OF: ReadonlyMap<string, StepId> = new Map([
  ["enable-storage-envelope", "storage"],
  ["start-rewrite", "rewrite"],
  ["seal-cleartext", "seal"],
  ["enable-raft-envelope", "raft"],
  ["scrub", "scrub"],
  ["rotate-dek", "rotate"],
  ["retire-dek", "retire"],
]);

/** The step that an action belongs to; `null` for none of the ladder. */
export function stepOfAction(action: string): StepId | null {
  return STEP_OF.get(action) ?? null;
}
