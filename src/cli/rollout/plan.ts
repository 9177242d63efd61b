import type { AdminClient } from "../../admin/client.ts";
import { planRollout } from "../../rollout/plan_rollout.ts";
import type { RolloutChoices } from "../../rollout/snapshot.ts";
import type { RolloutPlan } from "../../rollout/step.ts";
import { takeSnapshot } from "../../rollout/take_snapshot.ts";
import type { Services } from "../services.ts";
import { wantsColor } from "../terminal.ts";
import { planJson, planScreen } from "./plan_view.ts";

export interface PlanLook {
  readonly choices: RolloutChoices;
  readonly isJson: boolean;
}

/** Prints the ladder as it stands, and returns it; changes nothing. */
export async function printPlan(
  services: Services,
  client: AdminClient,
  { choices, isJson }: PlanLook,
): Promise<RolloutPlan> {
  const { clock, terminal } = services;
  const options = { clock, choices, previous: null, isFull: true };
  const plan = planRollout(await takeSnapshot(client, options), choices);
  const { out, env } = terminal;
  out.write(isJson ? planJson(plan) : planScreen(plan, wantsColor(out, env)));
  return plan;
}
