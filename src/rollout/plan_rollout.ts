import type { RolloutChoices, RolloutSnapshot } from "./snapshot.ts";
import type { RolloutPlan } from "./step.ts";

/**
 * The ladder as it stands in `snapshot`, with `choices` made. Pure: the wizard,
 * the commands and scripts decide by nothing else.
 */
export function planRollout(
  snapshot: RolloutSnapshot,
  choices: RolloutChoices,
): RolloutPlan {
  throw new Error(`not there: ${snapshot.atMs} ${choices.bytesPerSecond}`);
}
