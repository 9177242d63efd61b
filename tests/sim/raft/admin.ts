import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  type ConfChange,
  LEAVE_JOINT,
  type SingleChange,
  type Transition,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
  TRANSITION_IMPLICIT,
} from "../../../src/raft/conf_change.ts";
import { EMPTY_BYTES } from "../../../src/base/bytes.ts";
import { isJoint } from "../../../src/raft/membership.ts";
import type { ConfState, RaftId } from "../../../src/raft/types.ts";
import type { Dice } from "./dice.ts";
import type { SimMember } from "./member.ts";

/** Fewest voters that a change may leave, unless the group only grows. */
const VOTERS_MIN = 3;
const MEMBERS_MAX = 7;

/** Gives out an id that was never used before; `null` when there is none. */
export type NewMember = () => RaftId | null;

/** Proposes a change of membership at `member`, as an operator would. */
export function proposeConfChange(
  member: SimMember,
  dice: Dice,
  newMember: NewMember,
): void {
  const { config } = member.state.membership;
  if (config.voters.length === 0) return;
  if (isJoint(config)) {
    propose(member, LEAVE_JOINT);
    return;
  }
  const changes = drawChanges(config, dice, newMember);
  if (changes.length === 0) return;
  const transition = dice.pick<Transition>([
    TRANSITION_AUTO,
    TRANSITION_AUTO,
    TRANSITION_IMPLICIT,
    TRANSITION_EXPLICIT,
  ]);
  propose(member, { transition, changes, context: EMPTY_BYTES });
}

/** Proposes a change that has no effect, or must not have one. */
export function proposePoison(member: SimMember, dice: Dice): void {
  const transition = dice.pick<Transition>([
    TRANSITION_AUTO,
    TRANSITION_IMPLICIT,
    TRANSITION_EXPLICIT,
  ]);
  propose(member, { transition, changes: [], context: EMPTY_BYTES });
}

function propose(member: SimMember, change: ConfChange): void {
  member.run((driver) => driver.proposeConfChange(change));
}

function drawChanges(
  config: ConfState,
  dice: Dice,
  newMember: NewMember,
): readonly SingleChange[] {
  const changes: SingleChange[] = [];
  const { voters, learners } = config;
  let voterCount = voters.length;
  let memberCount = voters.length + learners.length;
  // Halves below three voters have known dead ends; they may only grow.
  const mayShrink = voters.length > VOTERS_MIN;
  const touched = new Set<RaftId>();
  for (let left = dice.between(1, 3); left > 0; left -= 1) {
    const action = dice.pick(["voter", "learner", "promote", "demote", "drop"]);
    const voter = dice.pick(voters);
    const learner = learners.length > 0 ? dice.pick(learners) : null;
    if (action === "promote" && learner !== null && !touched.has(learner)) {
      touched.add(learner);
      changes.push({ type: CHANGE_ADD_VOTER, id: learner });
      voterCount += 1;
    } else if (action === "voter" || action === "learner") {
      const id = memberCount < MEMBERS_MAX ? newMember() : null;
      if (id === null) continue;
      memberCount += 1;
      if (action === "voter") voterCount += 1;
      const type = action === "voter" ? CHANGE_ADD_VOTER : CHANGE_ADD_LEARNER;
      changes.push({ type, id });
    } else if (action === "demote" || action === "drop") {
      if (learner !== null && action === "drop" && !touched.has(learner)) {
        touched.add(learner);
        changes.push({ type: CHANGE_REMOVE, id: learner });
        continue;
      }
      if (!mayShrink || voterCount <= VOTERS_MIN || touched.has(voter)) {
        continue;
      }
      touched.add(voter);
      voterCount -= 1;
      const type = action === "demote" ? CHANGE_ADD_LEARNER : CHANGE_REMOVE;
      changes.push({ type, id: voter });
    }
  }
  return changes;
}
