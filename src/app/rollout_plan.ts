import type { AdminClient } from "../admin/client.ts";
import { denoClock } from "../io/deno/clock.ts";
import {
  type LivePlan,
  rolloutPlan as planOf,
} from "../rollout/rollout_plan.ts";
import type { RolloutChoices } from "../rollout/snapshot.ts";

/**
 * The rollout of encryption on a cluster, as the wizard and the commands see
 * it: its steps with their checks, and a way to take each.
 *
 * @throws {NodeError} No member answers at all, or the token is refused.
 */
export function rolloutPlan(
  client: AdminClient,
  choices: Partial<RolloutChoices> = {},
): Promise<LivePlan> {
  return planOf(client, { clock: denoClock(), choices });
}
