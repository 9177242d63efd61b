import { unreachable } from "../base/assert.ts";
import { isNatural } from "./encryption_rules.ts";
import {
  ROLLOUT_ACTION_BYTES_MAX,
  ROLLOUT_ACTOR_BYTES_MAX,
  ROLLOUT_DETAIL_BYTES_MAX,
  ROLLOUT_EVENTS_MAX,
} from "./limits.ts";
import type {
  RewriteJob,
  RolloutChange,
  RolloutEvent,
  RolloutState,
} from "./types.ts";

/** Printable ASCII: one byte a character, and safe to print. */
const TEXT = /^[\x20-\x7e]*$/;
const PLAN_HASH = /^(?:[0-9a-f]{16})?$/;
const NUMBER_RULE = "numbers must stay below 2^53";

/** The rule of its form that `change` breaks, `null` for none. */
export function brokenRolloutRule(change: RolloutChange): string | null {
  switch (change.kind) {
    case "event":
      return brokenEventRule(change.event);
    case "start-rewrite":
      return isNatural(change.bytesPerSecond) ? null : NUMBER_RULE;
    case "pause-rewrite":
      return null;
    case "resume-rewrite":
      return isNatural(change.bytesPerSecond ?? 0) ? null : NUMBER_RULE;
    case "dwell":
      return isNatural(change.untilMs) ? null : NUMBER_RULE;
    default:
      return unreachable(change);
  }
}

/** The rule that a whole rollout breaks, `null` for none. */
export function brokenStateRule(state: RolloutState): string | null {
  const { rewrite, dwellUntilMs, events } = state;
  if (!isNatural(dwellUntilMs)) return NUMBER_RULE;
  if (events.length > ROLLOUT_EVENTS_MAX) {
    return `there must be at most ${ROLLOUT_EVENTS_MAX} events`;
  }
  let last = 0;
  for (const event of events) {
    const rule = brokenEventRule(event);
    if (rule !== null) return rule;
    if (!isNatural(event.index)) return NUMBER_RULE;
    if (event.index <= last) return "events must be in the order of entries";
    last = event.index;
  }
  return rewrite === null ? null : brokenJobRule(rewrite);
}

function brokenJobRule({ id, bytesPerSecond }: RewriteJob): string | null {
  if (!isNatural(id) || !isNatural(bytesPerSecond)) return NUMBER_RULE;
  return id === 0 ? "a job's id must be above 0" : null;
}

function brokenEventRule(
  event: Omit<RolloutEvent, "index">,
): string | null {
  const { atMs, entry, planHash, actor, action, detail } = event;
  if (!isNatural(atMs) || !isNatural(entry)) return NUMBER_RULE;
  if (!PLAN_HASH.test(planHash)) {
    return "a plan's hash must be 16 hex digits or none";
  }
  const isFit = isText(actor, ROLLOUT_ACTOR_BYTES_MAX) &&
    isText(action, ROLLOUT_ACTION_BYTES_MAX) &&
    isText(detail, ROLLOUT_DETAIL_BYTES_MAX);
  return isFit ? null : "an event's texts must be short and printable";
}

function isText(text: string, bytesMax: number): boolean {
  return text.length <= bytesMax && TEXT.test(text);
}
