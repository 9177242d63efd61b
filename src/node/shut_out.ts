import { isVoter } from "../raft/membership.ts";
import type { StoreState } from "../store/meta.ts";
import { EpochRollbackError } from "./encryption/errors.ts";
import type { Identity } from "./identity.ts";
import { DiskReplacedError, MemberRemovedError } from "./member_errors.ts";

/** Refusals that nothing on this node's side can end. */
export type ShuttingOut = "removed-member" | "wrong-disk" | "epoch-rollback";

/** Why a member that is refused so has to stop. */
export function shutOutError(
  { name, id }: Identity,
  refusal: ShuttingOut,
): Error {
  switch (refusal) {
    case "removed-member":
      return new MemberRemovedError(name, id);
    case "wrong-disk":
      return new DiskReplacedError(name);
    case "epoch-rollback":
      return new EpochRollbackError(name, null);
  }
}

/** Why a member that applied its own removal has nothing more to do. */
export function removalError(
  { id, name }: Identity,
  { fsm, confState }: Pick<StoreState, "fsm" | "confState">,
): MemberRemovedError | null {
  const isMember = fsm.members.has(id) || isVoter(confState, id) ||
    confState.learners.includes(id);
  return isMember || fsm.members.size === 0
    ? null
    : new MemberRemovedError(name, id);
}
