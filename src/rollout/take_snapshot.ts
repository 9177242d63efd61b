import type { AdminClient } from "../admin/client.ts";
import type { Clock } from "../io/clock.ts";
import type { RolloutChoices, RolloutSnapshot } from "./snapshot.ts";
import type { StepId } from "./step.ts";

export interface SnapshotOptions {
  readonly clock: Clock;
  readonly choices: RolloutChoices;
  /** What is not asked anew is taken from it; `null` for none. */
  readonly previous: RolloutSnapshot | null;
  /**
   * Have the leader ask every member for a proof, and rehearse a step: for the
   * entry of a screen, every few seconds there, and before a step is taken.
   */
  readonly isFull: boolean;
  /** Step to rehearse when `isFull`; else the first that is not done. */
  readonly rehearse?: StepId;
}

/**
 * All that is known of a cluster now. What cannot be asked is `null` in it.
 *
 * @throws {NodeError} No member answers at all, or the token is refused.
 */
export function takeSnapshot(
  client: AdminClient,
  options: SnapshotOptions,
): Promise<RolloutSnapshot> {
  throw new Error(`not there: ${client.getStatus.name} ${options.isFull}`);
}
