import { draftMessage, type Message, MSG_READ_INDEX_RESP } from "./message.ts";
import { send } from "./outbox.ts";
import { decodePosition } from "./read_queue.ts";
import { broadcastHeartbeat } from "./replication.ts";
import type { RaftState } from "./state.ts";
import { type LogIndex, NO_MEMBER, type RaftId } from "./types.ts";

/**
 * Answers a read when this leader is known to be the newest one.
 *
 * 1. Before the first commit in its term a leader may lack commits of earlier
 *    ones, and its own commit index may lag after a restart: reads wait, also
 *    in a group of one voter.
 * 2. A lone voter needs nobody's word, a lease takes it for granted.
 * 3. Else a quorum has to answer a heartbeat sent after the read.
 *
 * Source: Raft dissertation §6.4.
 */
export function onReadIndex(state: RaftState, request: Message): void {
  const { entryLog } = state;
  if (entryLog.termOrZero(entryLog.committed) !== state.term) {
    state.parkedReads.push(request);
    return;
  }
  if (state.options.leaseReads || isLoneVoter(state)) {
    answer(state, request, entryLog.committed);
    return;
  }
  state.reads.add({ request, index: entryLog.committed });
  state.reads.ack(state.id, state.reads.position);
  answerConfirmed(state);
  if (state.reads.length > 0) broadcastHeartbeat(state);
}

/** Goes on with reads that waited for the first commit in the term. */
export function releaseParkedReads(state: RaftState): void {
  if (state.parkedReads.length === 0) return;
  const parked = state.parkedReads;
  state.parkedReads = [];
  for (const request of parked) onReadIndex(state, request);
}

/** Takes the position that `from` echoed in an answer to a heartbeat. */
export function onReadAck(
  state: RaftState,
  from: RaftId,
  context: Uint8Array,
): void {
  if (state.options.leaseReads || state.reads.length === 0) return;
  const position = decodePosition(context);
  if (position === null) return;
  state.reads.ack(from, position);
  answerConfirmed(state);
}

function answerConfirmed(state: RaftState): void {
  for (const read of state.reads.release(state.membership.config)) {
    answer(state, read.request, read.index);
  }
}

function isLoneVoter(state: RaftState): boolean {
  const { voters, votersOutgoing } = state.membership.config;
  return voters.length === 1 && votersOutgoing.length === 0 &&
    voters[0] === state.id;
}

function answer(state: RaftState, request: Message, index: LogIndex): void {
  const { from, entries } = request;
  const [entry] = entries;
  if (entry === undefined) return;
  if (from === NO_MEMBER || from === state.id) {
    state.readStates.push({ index, token: entry.data });
    return;
  }
  const message = draftMessage(MSG_READ_INDEX_RESP, from);
  message.index = index;
  message.entries = entries;
  send(state, message);
}
