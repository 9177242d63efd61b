import { assert } from "../base/assert.ts";
import {
  type DraftMessage,
  MSG_APP_RESP,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "./message.ts";
import type { RaftState } from "./state.ts";
import { NO_MEMBER } from "./types.ts";

/**
 * Sends `message`, which belongs to the outbox from now on.
 *
 * Promises about the log and votes wait until what they promise is durable,
 * refusals too: they may rest on state that is not. Only those may be addressed
 * to this member itself.
 */
export function send(state: RaftState, message: DraftMessage): void {
  if (message.from === NO_MEMBER) message.from = state.id;
  switch (message.type) {
    case MSG_VOTE:
    case MSG_PRE_VOTE:
      assert(message.term !== 0, "an election message names its term");
      break;
    case MSG_VOTE_RESP:
    case MSG_PRE_VOTE_RESP:
      assert(message.term !== 0, "an election message names its term");
      state.afterAppend.push(message);
      return;
    case MSG_APP_RESP:
      assert(message.term === 0, "the outbox stamps the term");
      message.term = state.term;
      state.afterAppend.push(message);
      return;
    case MSG_PROP:
    case MSG_READ_INDEX:
      assert(message.term === 0, "what a leader is asked for has no term");
      break;
    default:
      assert(message.term === 0, "the outbox stamps the term");
      message.term = state.term;
  }
  assert(message.to !== state.id, "no message to oneself leaves at once");
  state.messages.push(message);
}
