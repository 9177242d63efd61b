import { hup } from "./election.ts";
import {
  draftMessage,
  idText,
  type Message,
  MSG_APP,
  MSG_APP_RESP,
  MSG_FORGET_LEADER,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_READ_INDEX_RESP,
  MSG_SNAP,
  MSG_TIMEOUT_NOW,
  MSG_TRANSFER_LEADER,
} from "./message.ts";
import { send } from "./outbox.ts";
import { onSnapshot } from "./snapshot.ts";
import type { RaftState } from "./state.ts";
import { NO_MEMBER } from "./types.ts";

/** Handles a message of our term as a follower; false drops a proposal. */
export function stepFollower(state: RaftState, message: Message): boolean {
  switch (message.type) {
    case MSG_PROP:
      return forwardProposal(state, message);
    case MSG_APP:
      hearLeader(state, message);
      onAppend(state, message);
      return true;
    case MSG_HEARTBEAT:
      hearLeader(state, message);
      onHeartbeat(state, message);
      return true;
    case MSG_SNAP:
      hearLeader(state, message);
      onSnapshot(state, message);
      return true;
    case MSG_TRANSFER_LEADER:
    case MSG_READ_INDEX:
      if (state.lead !== NO_MEMBER) forward(state, message);
      return true;
    case MSG_FORGET_LEADER:
      forgetLeader(state);
      return true;
    case MSG_TIMEOUT_NOW:
      state.log?.info?.(
        `${idText(state.id)} [term ${state.term}] received MsgTimeoutNow ` +
          `from ${idText(message.from)} and starts an election to get ` +
          `leadership.`,
      );
      // Without a trial: the leader wants it and its word overrides leases.
      hup(state, "transfer");
      return true;
    case MSG_READ_INDEX_RESP:
      onReadAnswer(state, message);
      return true;
    default:
      return true;
  }
}

function hearLeader(state: RaftState, { from }: Message): void {
  state.electionElapsed = 0;
  state.lead = from;
}

/**
 * Appends a leader's entries, or tells it where the logs may still meet.
 *
 * @throws {RaftLogConflictError} When a committed entry would change.
 */
export function onAppend(state: RaftState, message: Message): void {
  const { entryLog } = state;
  const { from, index, logTerm } = message;
  const response = draftMessage(MSG_APP_RESP, from);
  if (index < entryLog.committed) {
    response.index = entryLog.committed;
    send(state, response);
    return;
  }
  const last = entryLog.maybeAppend(
    { index, term: logTerm },
    message.entries,
    message.commit,
  );
  if (last >= 0) {
    response.index = last;
    send(state, response);
    return;
  }
  state.log?.debug?.(
    `${idText(state.id)} [logterm: ${entryLog.termOrZero(index)}, index: ` +
      `${index}] rejected MsgApp [logterm: ${logTerm}, index: ${index}] from ` +
      `${idText(from)}`,
  );
  // The leader's terms at and below `index` are at most `logTerm`.
  const hint = entryLog.findConflictByTerm(
    Math.min(index, entryLog.lastIndex()),
    logTerm,
  );
  response.index = index;
  response.reject = true;
  response.rejectHint = hint.index;
  response.logTerm = hint.term;
  send(state, response);
}

/** @throws {RaftLogLostError} When our log does not reach the commit. */
export function onHeartbeat(state: RaftState, message: Message): void {
  state.entryLog.commitTo(message.commit);
  const response = draftMessage(MSG_HEARTBEAT_RESP, message.from);
  response.context = message.context;
  send(state, response);
}

function forwardProposal(state: RaftState, message: Message): boolean {
  if (state.lead === NO_MEMBER) {
    state.log?.info?.(
      `${idText(state.id)} no leader at term ${state.term}; dropping proposal`,
    );
    return false;
  }
  if (!state.options.forwardProposals) {
    state.log?.info?.(
      `${idText(state.id)} not forwarding to leader ${idText(state.lead)} at ` +
        `term ${state.term}; dropping proposal`,
    );
    return false;
  }
  forward(state, message);
  return true;
}

/** Passes `message` on to the leader in the name of its first sender. */
function forward(state: RaftState, message: Message): void {
  const copy = draftMessage(message.type, state.lead);
  copy.from = message.from;
  copy.entries = message.entries;
  copy.context = message.context;
  send(state, copy);
}

function forgetLeader(state: RaftState): void {
  if (state.options.leaseReads) {
    state.log?.error?.("ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
    return;
  }
  if (state.lead === NO_MEMBER) return;
  state.log?.info?.(
    `${idText(state.id)} forgetting leader ${idText(state.lead)} at term ` +
      `${state.term}`,
  );
  state.lead = NO_MEMBER;
}

function onReadAnswer(state: RaftState, message: Message): void {
  const [entry] = message.entries;
  if (entry === undefined || message.entries.length !== 1) return;
  state.readStates.push({ index: message.index, token: entry.data });
}
