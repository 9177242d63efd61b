import { campaign, countVote, hasOwnVote } from "./election.ts";
import { onAppend, onHeartbeat } from "./follower.ts";
import {
  idText,
  type Message,
  MSG_APP,
  MSG_HEARTBEAT,
  MSG_PRE_VOTE_RESP,
  MSG_PROP,
  MSG_SNAP,
  MSG_VOTE_RESP,
} from "./message.ts";
import { broadcastAppend } from "./replication.ts";
import { becomeFollower, becomeLeader } from "./roles.ts";
import { onSnapshot } from "./snapshot.ts";
import type { RaftState } from "./state.ts";
import { NO_MEMBER } from "./types.ts";

/**
 * Handles a message of our term as a candidate, in earnest or for a trial;
 * false drops a proposal.
 */
export function stepCandidate(state: RaftState, message: Message): boolean {
  const awaited = state.role === "candidate"
    ? MSG_VOTE_RESP
    : MSG_PRE_VOTE_RESP;
  switch (message.type) {
    case MSG_PROP:
      state.log?.info?.(
        `${idText(state.id)} no leader at term ${state.term}; dropping ` +
          `proposal`,
      );
      return false;
    case MSG_APP:
      becomeFollower(state, message.term, message.from);
      onAppend(state, message);
      return true;
    case MSG_HEARTBEAT:
      becomeFollower(state, message.term, message.from);
      onHeartbeat(state, message);
      return true;
    case MSG_SNAP:
      becomeFollower(state, message.term, message.from);
      onSnapshot(state, message);
      return true;
    case awaited:
      onVote(state, message);
      return true;
    default:
      return true;
  }
}

/**
 * Counts a vote and acts on the result.
 *
 * A candidate leads only when its own vote is among the counted ones: until
 * that is durable a crash could make it campaign for the same term again and
 * lead it twice, with two entries at one position.
 */
function onVote(state: RaftState, message: Message): void {
  switch (countVote(state, message)) {
    case "won":
      if (state.role === "pre-candidate") {
        campaign(state, "election");
      } else if (hasOwnVote(state)) {
        becomeLeader(state);
        broadcastAppend(state);
      }
      return;
    case "lost":
      becomeFollower(state, state.term, NO_MEMBER);
      return;
    case "pending":
  }
}
