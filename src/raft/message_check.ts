import {
  isForwardedMessage,
  type Message,
  MSG_APP,
  MSG_FORGET_LEADER,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_READ_INDEX_RESP,
  MSG_SNAP,
} from "./message.ts";

/**
 * Tells whether a message from the network says what its type must say, so
 * that the core need not look again. Fields are numbers the decoder checked.
 */
export function isWellFormed(message: Message): boolean {
  const { type, from, to, term, entries, snapshot } = message;
  // What is passed on keeps its first sender, and may thus come back to it.
  if (from <= 0 || (from === to && !isForwardedMessage(type))) return false;
  switch (type) {
    case MSG_PROP:
      return term === 0 && entries.length > 0;
    case MSG_READ_INDEX:
      return term === 0 && entries.length === 1;
    case MSG_FORGET_LEADER:
      return false;
    case MSG_READ_INDEX_RESP:
      return term > 0 && entries.length === 1;
    case MSG_SNAP:
      return term > 0 && snapshot !== null && snapshot.metadata.index > 0 &&
        snapshot.metadata.term <= term;
    case MSG_APP:
      return term > 0 && continuesLog(message);
    default:
      return term > 0;
  }
}

/** Entries follow one another without gaps, in terms up to the leader's. */
function continuesLog(message: Message): boolean {
  let { index, logTerm } = message;
  for (const entry of message.entries) {
    if (entry.index !== index + 1 || entry.term < logTerm) return false;
    index = entry.index;
    logTerm = entry.term;
  }
  return logTerm <= message.term;
}
