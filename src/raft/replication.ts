import { assert } from "../base/assert.ts";
import { limitSize, payloadSizeOf } from "./entry_size.ts";
import { requestEntries } from "./fetch.ts";
import {
  draftMessage,
  idText,
  MSG_APP,
  MSG_HEARTBEAT,
  MSG_SNAP,
  NO_ENTRIES,
} from "./message.ts";
import { send } from "./outbox.ts";
import type { Progress } from "./progress.ts";
import type { RaftState } from "./state.ts";
import type { Entry, LogMiss, RaftId } from "./types.ts";

/** Appends to every other member, even when there is only a commit to tell. */
export function broadcastAppend(state: RaftState): void {
  for (const id of state.membership.progress.keys()) {
    if (id !== state.id) sendAppend(state, id);
  }
}

/** Appends to `to`, even when there is only a commit to tell. */
export function sendAppend(state: RaftState, to: RaftId): boolean {
  return trySend(state, to, { evenIfEmpty: true, fetched: NO_ENTRIES });
}

/** Appends to `to` if there is an entry for it. */
export function sendEntries(state: RaftState, to: RaftId): boolean {
  return trySend(state, to, { evenIfEmpty: false, fetched: NO_ENTRIES });
}

/** Goes on with `to`, which waited for `fetched`; none when they are gone. */
export function sendFetched(
  state: RaftState,
  to: RaftId,
  fetched: readonly Entry[],
): void {
  if (state.role !== "leader") return;
  trySend(state, to, { evenIfEmpty: true, fetched });
  while (sendEntries(state, to));
}

interface SendOptions {
  readonly evenIfEmpty: boolean;
  /** Stable entries read from disk for this message. */
  readonly fetched: readonly Entry[];
}

function trySend(state: RaftState, to: RaftId, options: SendOptions): boolean {
  const progress = state.membership.progress.get(to);
  if (progress === undefined || progress.isPaused()) return false;
  if (state.fetches.has(to)) return false;
  const previous = progress.next - 1;
  const term = state.entryLog.term(previous);
  if (typeof term === "string") return sendSnapshot(state, to, progress);
  const entries = entriesFor(state, progress, options.fetched);
  if (entries === "not-cached") {
    const range = {
      from: progress.next,
      until: state.entryLog.unstable.offset,
    };
    requestEntries(state, to, range, state.options.messageBytesMax);
    return false;
  }
  const failed = typeof entries === "string";
  if ((failed || entries.length === 0) && !options.evenIfEmpty) return false;
  if (failed) return sendSnapshot(state, to, progress);
  const { committed } = state.entryLog;
  const message = draftMessage(MSG_APP, to);
  message.index = previous;
  message.logTerm = term;
  message.entries = entries;
  message.commit = committed;
  send(state, message);
  progress.onAppendSent(entries.length, payloadSizeOf(entries));
  progress.sentCommit = committed;
  return true;
}

/** An empty append still goes out when too many are on their way: a probe. */
function entriesFor(
  state: RaftState,
  progress: Progress,
  fetched: readonly Entry[],
): readonly Entry[] | LogMiss {
  if (progress.state === "replicate" && progress.inflights.isFull()) {
    return NO_ENTRIES;
  }
  const { messageBytesMax } = state.options;
  if (fetched[0]?.index === progress.next) {
    return limitSize(fetched, messageBytesMax);
  }
  return state.entryLog.entries(progress.next, messageBytesMax);
}

function sendSnapshot(
  state: RaftState,
  to: RaftId,
  progress: Progress,
): boolean {
  // Who does not answer would not receive it either.
  if (!progress.recentActive) return false;
  const snapshot = state.entryLog.snapshot();
  if (snapshot === null) return false;
  const { index, term } = snapshot.metadata;
  assert(index > 0, "a log that was compacted has a checkpoint");
  const [own, peer] = [idText(state.id), idText(to)];
  state.log?.debug?.(
    `${own} [firstindex: ${state.entryLog.firstIndex()}, commit: ` +
      `${state.entryLog.committed}] sent snapshot[index: ${index}, term: ` +
      `${term}] to ${peer} [${progress.describe()}]`,
  );
  progress.becomeSnapshot(index);
  state.snapshotElapsed.set(to, 0);
  state.log?.debug?.(
    `${own} paused sending replication messages to ${peer} ` +
      `[${progress.describe()}]`,
  );
  const message = draftMessage(MSG_SNAP, to);
  message.snapshot = snapshot;
  send(state, message);
  return true;
}

/**
 * Tells every other member that this one leads, and how far it may commit.
 *
 * Never beyond what the member is known to have: its log may differ above.
 */
export function broadcastHeartbeat(state: RaftState): void {
  const context = state.reads.context();
  const { committed } = state.entryLog;
  for (const [id, progress] of state.membership.progress) {
    if (id === state.id) continue;
    const message = draftMessage(MSG_HEARTBEAT, id);
    message.commit = Math.min(progress.match, committed);
    message.context = context;
    send(state, message);
    progress.sentCommit = message.commit;
  }
}
