import type { Check } from "../check.ts";
import type { CheckFacts } from "./facts.ts";
import { CLUSTER, failed, makeCheck, passed } from "./make_check.ts";

/**
 * P01: what the leader says to a dry run; none when it was not asked about this
 * step. It does not ask members then: that is K02.
 */
export function leaderAgrees(
  { step, snapshot: { rehearsal } }: CheckFacts,
): readonly Check[] {
  if (rehearsal === null || rehearsal.step !== step) return [];
  const { outcome, refusal } = rehearsal;
  const evidence = refusal === null
    ? passed(CLUSTER, `plan ${outcome?.plan.hash ?? ""}`)
    : failed(CLUSTER, { text: refusal.message, remedy: refusal.remedy });
  return [makeCheck("P01", "Leader would do it", [evidence])];
}
