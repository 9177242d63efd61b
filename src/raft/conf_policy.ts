import { isJoint, isVoter } from "./membership.ts";
import type { ConfState, RaftId } from "./types.ts";

/** A half of a joint membership with fewer voters can block for good. */
const JOINT_VOTERS_MIN = 3;

/**
 * Why operators should not make the change from `before` to `after` under
 * `leader`; `null` when nothing speaks against it.
 *
 * Raft would allow these, but a leader that leaves steps down before anyone
 * else knows that it may, and in a small half nobody else can win then. Growth
 * from one voter is fine: that voter stays.
 */
export function policyRefusal(
  before: ConfState,
  after: ConfState,
  leader: RaftId,
): string | null {
  if (isVoter(before, leader) && !after.voters.includes(leader)) {
    return "the leader is to leave: transfer leadership first";
  }
  if (!isJoint(after)) return null;
  const { voters, votersOutgoing } = after;
  const growsFromOne = votersOutgoing.length === 1 &&
    votersOutgoing.every((id) => voters.includes(id));
  if (growsFromOne) return null;
  return Math.min(voters.length, votersOutgoing.length) < JOINT_VOTERS_MIN
    ? `a joint change needs ${JOINT_VOTERS_MIN} voters on both sides: ` +
      `change one voter at a time`
    : null;
}
