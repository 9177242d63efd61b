import { hup } from "./election.ts";
import { checkQuorum } from "./leader.ts";
import { onSnapshotStatus } from "./leader_acks.ts";
import { broadcastHeartbeat } from "./replication.ts";
import type { RaftState } from "./state.ts";
import { NO_MEMBER } from "./types.ts";

/** Lets one tick pass. */
export function tick(state: RaftState): void {
  if (state.quietTicks > 0) state.quietTicks -= 1;
  if (state.role === "leader") tickLeader(state);
  else tickFollower(state);
}

/** Campaigns after too long without a leader. */
function tickFollower(state: RaftState): void {
  state.electionElapsed += 1;
  if (!state.isPromotable()) return;
  if (state.electionElapsed < state.electionTimeout) return;
  state.electionElapsed = 0;
  hup(state, state.options.preVote ? "pre-election" : "election");
}

/** Checks the quorum, gives up a slow transfer, sends heartbeats. */
function tickLeader(state: RaftState): void {
  const { electionTicks, heartbeatTicks } = state.options;
  state.heartbeatElapsed += 1;
  state.electionElapsed += 1;
  if (state.electionElapsed >= electionTicks) {
    state.electionElapsed = 0;
    if (state.options.checkQuorum) checkQuorum(state);
    if (state.role !== "leader") return;
    state.leadTransferee = NO_MEMBER;
  }
  expireSnapshots(state);
  if (state.heartbeatElapsed >= heartbeatTicks) {
    state.heartbeatElapsed = 0;
    broadcastHeartbeat(state);
  }
}

/**
 * Counts checkpoints that nobody reports on as failed after a while: else one
 * lost report would leave a member behind for the whole term.
 */
function expireSnapshots(state: RaftState): void {
  const { snapshotTicksMax } = state.options;
  if (snapshotTicksMax === 0 || state.snapshotElapsed.size === 0) return;
  for (const [id, elapsed] of state.snapshotElapsed) {
    const progress = state.membership.progress.get(id);
    if (progress?.state !== "snapshot") {
      state.snapshotElapsed.delete(id);
    } else if (elapsed + 1 >= snapshotTicksMax) {
      state.snapshotElapsed.delete(id);
      onSnapshotStatus(progress, { failed: true });
    } else {
      state.snapshotElapsed.set(id, elapsed + 1);
    }
  }
}
