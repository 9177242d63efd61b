import { type AckedIndex, jointIndex } from "./quorum.ts";
import { releaseParkedReads } from "./read_index.ts";
import { broadcastAppend } from "./replication.ts";
import type { RaftState } from "./state.ts";

/**
 * Commits what a quorum of voters holds and tells everyone; false when that is
 * nothing new.
 *
 * Only an entry of the leader's own term commits by being counted: older ones
 * may still be replaced, however many members hold them.
 *
 * Source: Raft §5.4.2.
 */
export function advanceCommit(state: RaftState): boolean {
  const { progress, config } = state.membership;
  const matchOf: AckedIndex = (id) => progress.get(id)?.match ?? 0;
  const index = jointIndex(config, matchOf);
  const { entryLog } = state;
  if (index <= entryLog.committed) return false;
  if (!entryLog.matchTerm(index, state.term)) return false;
  entryLog.commitTo(index);
  releaseParkedReads(state);
  broadcastAppend(state);
  return true;
}
