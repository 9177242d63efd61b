import type { ClusterEvent } from "../admin/client.ts";
import type { StepId } from "./step.ts";
import { stepOfAction } from "./step_action.ts";
import { timeText } from "../base/time_text.ts";

/** Refusals that came of trying, not of a check before. */
const TRIED: ReadonlySet<string> = new Set([
  "NODE_CLEARTEXT_REMAINS",
  "NODE_CUTOVER_ABORTED",
  "NODE_ENCRYPTION_REFUSED",
  "NODE_KEY_IN_USE",
  "NODE_MEMBER_SILENT",
  "NODE_MEMBER_TASK_FAILED",
]);

/**
 * Why the last try of a step that is not done ended without it, on one line;
 * `null` when there was none, or it was not even begun.
 */
export function failedTry(
  step: StepId,
  events: readonly ClusterEvent[],
): string | null {
  const last = events.findLast(({ action }) => stepOfAction(action) === step);
  if (last === undefined) return null;
  const { atMs, actor, result, detail } = last;
  const who = `tried ${timeText(Number(atMs))} by ${actor || "nobody named"}`;
  if (result === "unknown") return `${who}: its outcome is not known`;
  const isTried = result === "refused" && TRIED.has(detail);
  return isTried ? `${who}: ${detail}` : null;
}
