import type { Check } from "../check.ts";
import type { StepId } from "../step.ts";
import { hasBackup, oldBackups } from "./backups.ts";
import {
  answers,
  canLoseOne,
  isAlone,
  keepsUp,
  leads,
  membersAreSettled,
} from "./cluster.ts";
import type { CheckFacts } from "./facts.ts";
import { canKeepKeys, hasSameKek, knowsEnvelopes, opensWraps } from "./keys.ts";
import { hasRoom, isFast, pausesBriefly } from "./machines.ts";
import {
  hasDwelt,
  isLocked,
  isLockedOrAccepted,
  isPast,
  isRewritten,
  isUnused,
} from "./order.ts";
import { leaderAgrees } from "./rehearsal.ts";

type AskCheck = (facts: CheckFacts) => Check;

/** What a member lacks says more than what follows of it. */
const KEYS: readonly AskCheck[] = [
  canKeepKeys,
  hasSameKek,
  (facts) => opensWraps(facts),
  knowsEnvelopes,
];
const WHOLE: readonly AskCheck[] = [leads, (facts) => answers(facts)];
/** Of a cutover, which every member has to follow. */
const STEADY: readonly AskCheck[] = [
  membersAreSettled,
  keepsUp,
  canLoseOne,
  hasRoom,
  hasBackup,
];
const isAloneWarned: AskCheck = (facts) => isAlone(facts, "warn");
const pastStorage: AskCheck = (facts) => isPast(facts, "storage");
const pastRaft: AskCheck = (facts) => isPast(facts, "raft");

/**
 * Questions of each step, in the order in which they are shown. What the leader
 * refuses fails them, whatever else is worth a look warns.
 */
const CHECKS: Readonly<Record<StepId, readonly AskCheck[]>> = {
  capability: [...WHOLE, ...KEYS],
  storage: [...WHOLE, ...STEADY, isAloneWarned, isFast, ...KEYS],
  rewrite: [
    leads,
    (facts) => answers(facts, "warn"),
    hasRoom,
    isAloneWarned,
    pastStorage,
  ],
  seal: [
    ...WHOLE,
    (facts) => isAlone(facts),
    pastStorage,
    isRewritten,
    hasDwelt,
  ],
  raft: [
    ...WHOLE,
    ...STEADY,
    isAloneWarned,
    isFast,
    ...KEYS,
    pastStorage,
    isLockedOrAccepted,
    hasDwelt,
    pausesBriefly,
  ],
  scrub: [
    ...WHOLE,
    hasRoom,
    (facts) => isAlone(facts),
    pastRaft,
    isLocked,
    oldBackups,
  ],
  rotate: [
    leads,
    (facts) => answers(facts, "warn"),
    isAloneWarned,
    (facts) => opensWraps(facts, "warn"),
    pastStorage,
  ],
  retire: [
    ...WHOLE,
    hasBackup,
    (facts) => isAlone(facts),
    pastStorage,
    hasDwelt,
    isUnused,
  ],
};

/** All that `facts.step` asks, with what the snapshot says to it. */
export function checksOf(facts: CheckFacts): readonly Check[] {
  return [
    ...CHECKS[facts.step].map((ask) => ask(facts)),
    ...leaderAgrees(facts),
  ];
}
