import {
  onAppendResponse,
  onHeartbeatResponse,
  onSnapshotStatus,
  onUnreachable,
} from "./leader_acks.ts";
import {
  idText,
  type Message,
  MSG_APP_RESP,
  MSG_BEAT,
  MSG_CHECK_QUORUM,
  MSG_HEARTBEAT_RESP,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_SNAP_STATUS,
  MSG_TRANSFER_LEADER,
  MSG_UNREACHABLE,
} from "./message.ts";
import { proposeEntries } from "./proposal.ts";
import { jointVote } from "./quorum.ts";
import { onReadIndex } from "./read_index.ts";
import { broadcastHeartbeat } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import type { RaftState } from "./state.ts";
import { onTransferLeader } from "./transfer.ts";
import { NO_MEMBER, type RaftId } from "./types.ts";

/** Handles a message of our term as the leader; false drops a proposal. */
export function stepLeader(state: RaftState, message: Message): boolean {
  switch (message.type) {
    case MSG_BEAT:
      broadcastHeartbeat(state);
      return true;
    case MSG_CHECK_QUORUM:
      checkQuorum(state);
      return true;
    case MSG_PROP:
      return proposeEntries(state, message.entries);
    case MSG_READ_INDEX:
      onReadIndex(state, message);
      return true;
  }
  const progress = state.membership.progress.get(message.from);
  if (progress === undefined) return true;
  switch (message.type) {
    case MSG_APP_RESP:
      onAppendResponse(state, message, progress);
      break;
    case MSG_HEARTBEAT_RESP:
      onHeartbeatResponse(state, message, progress);
      break;
    case MSG_SNAP_STATUS:
      onSnapshotStatus(progress, { failed: message.reject });
      break;
    case MSG_UNREACHABLE:
      onUnreachable(state, message, progress);
      break;
    case MSG_TRANSFER_LEADER:
      onTransferLeader(state, message, progress);
  }
  return true;
}

/**
 * Steps down when no quorum of voters was heard since the last check: a leader
 * that nobody follows must not keep clients, and reads, waiting.
 *
 * Source: Raft dissertation §6.2.
 */
export function checkQuorum(state: RaftState): void {
  const { progress, config } = state.membership;
  const heard = new Map<RaftId, boolean>();
  for (const [id, record] of progress) {
    if (record.isLearner) continue;
    heard.set(id, id === state.id || record.recentActive);
  }
  if (jointVote(config, heard) !== "won") {
    state.log?.warn?.(
      `${idText(state.id)} stepped down to follower since quorum is not active`,
    );
    becomeFollower(state, state.term, NO_MEMBER);
  }
  for (const [id, record] of state.membership.progress) {
    if (id !== state.id) record.recentActive = false;
  }
}
