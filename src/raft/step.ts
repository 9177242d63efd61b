import { stepCandidate } from "./candidate.ts";
import {
  hup,
  logIgnoredVote,
  onVoteRequest,
  refuseStalePreVote,
} from "./election.ts";
import { stepFollower } from "./follower.ts";
import { stepLeader } from "./leader.ts";
import {
  draftMessage,
  idText,
  isTransferContext,
  type Message,
  messageName,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HUP,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_SNAP,
  MSG_STORAGE_APPEND_RESP,
  MSG_STORAGE_APPLY_RESP,
  MSG_VOTE,
} from "./message.ts";
import { send } from "./outbox.ts";
import { becomeFollower } from "./roles.ts";
import type { RaftState } from "./state.ts";
import {
  onSnapshotInstalled,
  onStorageAppended,
  onStorageApplied,
} from "./storage_acks.ts";
import { NO_MEMBER } from "./types.ts";

/** Takes one message; false drops a proposal, which had no effect. */
export function step(state: RaftState, message: Message): boolean {
  if (!passTermGate(state, message)) return true;
  switch (message.type) {
    case MSG_HUP:
      hup(state, state.options.preVote ? "pre-election" : "election");
      return true;
    case MSG_STORAGE_APPEND_RESP:
      onStorageAppended(state, message);
      return true;
    case MSG_STORAGE_APPLY_RESP:
      onStorageApplied(state, message);
      return true;
    case MSG_VOTE:
    case MSG_PRE_VOTE:
      onVoteRequest(state, message);
      return true;
  }
  switch (state.role) {
    case "leader":
      return stepLeader(state, message);
    case "follower":
      return stepFollower(state, message);
    case "candidate":
    case "pre-candidate":
      return stepCandidate(state, message);
  }
}

/** Compares terms, first of all; false when the message is done with. */
function passTermGate(state: RaftState, message: Message): boolean {
  if (message.term === 0 || message.term === state.term) return true;
  if (message.term < state.term) {
    onLowerTerm(state, message);
    return false;
  }
  return onHigherTerm(state, message);
}

function onHigherTerm(state: RaftState, message: Message): boolean {
  const { type, from, term } = message;
  const isRequest = type === MSG_VOTE || type === MSG_PRE_VOTE;
  if (
    isRequest && isInLease(state) && !isTransferContext(message.context)
  ) {
    logIgnoredVote(state, message);
    return false;
  }
  // A trial is about the next term, without anyone being in it.
  if (type === MSG_PRE_VOTE) return true;
  if (type === MSG_PRE_VOTE_RESP && !message.reject) return true;
  state.log?.info?.(
    `${idText(state.id)} [term: ${state.term}] received a ` +
      `${messageName(type)} message with higher term from ${idText(from)} ` +
      `[term: ${term}]`,
  );
  const isLeader = type === MSG_APP || type === MSG_HEARTBEAT ||
    type === MSG_SNAP;
  becomeFollower(state, term, isLeader ? from : NO_MEMBER);
  return true;
}

/** Our leader was heard too recently to help anyone replace it. */
function isInLease(state: RaftState): boolean {
  if (!state.options.checkQuorum) return false;
  return state.quietTicks > 0 || state.lead !== NO_MEMBER &&
      state.electionElapsed < state.options.electionTicks;
}

function onLowerTerm(state: RaftState, message: Message): void {
  const { type, from, term } = message;
  const { checkQuorum, preVote } = state.options;
  if (
    (checkQuorum || preVote) && (type === MSG_HEARTBEAT || type === MSG_APP)
  ) {
    // Tells a leader about our term, as we may not campaign for it.
    send(state, draftMessage(MSG_APP_RESP, from));
  } else if (type === MSG_PRE_VOTE) {
    refuseStalePreVote(state, message);
  } else if (type === MSG_STORAGE_APPEND_RESP) {
    if (message.index !== 0) {
      // Entries may have been replaced since, and replaced back.
      state.log?.info?.(
        `${
          idText(state.id)
        } [term: ${state.term}] ignored entry appends from ` +
          `a ${messageName(type)} message with lower term [term: ${term}]`,
      );
    }
    if (message.snapshot !== null) onSnapshotInstalled(state, message.snapshot);
  } else {
    state.log?.info?.(
      `${idText(state.id)} [term: ${state.term}] ignored a ` +
        `${messageName(type)} message with lower term from ${idText(from)} ` +
        `[term: ${term}]`,
    );
  }
}
