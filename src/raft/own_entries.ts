import { payloadSizeOf } from "./entry_size.ts";
import { draftMessage, idText, MSG_APP_RESP } from "./message.ts";
import { send } from "./outbox.ts";
import type { RaftState } from "./state.ts";
import type { Entry } from "./types.ts";

/**
 * Appends proposed `entries` to the leader's log, in its term.
 *
 * False when they would exceed the limit of uncommitted data. One batch of any
 * size fits in an empty tail and empty entries always fit, so that the group
 * can go on. The leader counts itself once its own disk has the entries.
 */
export function appendOwn(
  state: RaftState,
  entries: readonly Entry[],
): boolean {
  const bytes = payloadSizeOf(entries);
  const sum = state.uncommittedBytes + bytes;
  if (
    state.uncommittedBytes > 0 && bytes > 0 &&
    sum > state.options.uncommittedBytesMax
  ) {
    state.log?.warn?.(
      `${idText(state.id)} appending new entries to log would exceed ` +
        `uncommitted entry size limit; dropping proposal`,
    );
    return false;
  }
  state.uncommittedBytes = sum;
  const { term } = state;
  const first = state.entryLog.lastIndex() + 1;
  const stamped = entries.map(({ type, data }, at): Entry => ({
    type,
    term,
    index: first + at,
    data,
  }));
  const ack = draftMessage(MSG_APP_RESP, state.id);
  ack.index = state.entryLog.append(stamped);
  send(state, ack);
  return true;
}

/** Returns the credit of `entries`, which are applied now. */
export function creditOwn(state: RaftState, entries: readonly Entry[]): void {
  if (state.uncommittedBytes === 0) return;
  const left = state.uncommittedBytes - payloadSizeOf(entries);
  state.uncommittedBytes = Math.max(0, left);
}
