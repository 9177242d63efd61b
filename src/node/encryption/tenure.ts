import type { LogIndex } from "../../raft/types.ts";
import type { Identity } from "../identity.ts";

/**
 * Tells whether the entry at `index` is older than the member itself: what it
 * says of the member's name is of an earlier one. A later member's raft id is
 * the index of the entry that added it; a founder is as old as the log.
 */
export function isBeforeMember(
  { id, foundingDigest }: Identity,
  index: LogIndex,
): boolean {
  const isFounder = foundingDigest.some((byte) => byte !== 0);
  return !isFounder && index < id;
}
