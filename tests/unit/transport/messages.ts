import { utf8 } from "../../../src/base/bytes.ts";
import {
  draftMessage,
  type Message,
  MSG_APP,
  MSG_HEARTBEAT,
} from "../../../src/raft/message.ts";
import type { Entry } from "../../../src/raft/types.ts";

/** An append of `entries` from 1 to 2. */
export function append(entries: readonly Entry[]): Message {
  const message = draftMessage(MSG_APP, 2);
  message.from = 1;
  message.term = 7;
  message.logTerm = 6;
  message.index = 41;
  message.commit = 40;
  message.entries = entries;
  return message;
}

/** The entry at `index` with `data`. */
export function entryAt(index: number, data: Uint8Array): Entry {
  return { type: 0, term: 7, index, data };
}

/** A heartbeat from 1 to 2 that is known by its commit. */
export function heartbeat(commit: number, context = "token"): Message {
  const message = draftMessage(MSG_HEARTBEAT, 2);
  message.from = 1;
  message.term = 7;
  message.commit = commit;
  message.context = utf8(context);
  return message;
}
