import { assert } from "../base/assert.ts";
import type {
  Entry,
  HardState,
  LogIndex,
  SnapshotMetadata,
} from "../raft/types.ts";
import type { LogState } from "./log_state.ts";
import {
  entryRecordBytes,
  type Floor,
  FLOOR_BYTES,
  HARD_STATE_BYTES,
  markBytes,
  RECORD_HEADER_BYTES,
  type RecordWriter,
  type SnapshotMark,
} from "./record.ts";

/**
 * One persist effect of the core: durable as a whole or not at all.
 *
 * `entries` replace everything from their first index on. Without `mustSync`
 * it may wait for the next batch that must.
 */
export interface PersistBatch {
  readonly hardState?: HardState;
  /** A checkpoint installed from a leader: the log restarts behind it. */
  readonly snapshot?: SnapshotMetadata;
  readonly entries: readonly Entry[];
  readonly mustSync: boolean;
}

/** What one request adds to a frame, written in the order of the fields. */
export interface Change {
  readonly mark: SnapshotMark | null;
  readonly entries: readonly Entry[];
  readonly floor: Floor | null;
  readonly hardState: HardState | null;
  readonly cleanShutdown: boolean;
}

const NOTHING: Change = {
  mark: null,
  entries: [],
  floor: null,
  hardState: null,
  cleanShutdown: false,
};

/** Plans `batch` on top of `state`. Persisted commit never goes back. */
export function planBatch(state: LogState, batch: PersistBatch): Change {
  const prior = state.hardState;
  const given = batch.hardState ?? (batch.snapshot ? prior : null);
  const commit = Math.max(
    prior.commit,
    given?.commit ?? 0,
    batch.snapshot?.index ?? 0,
  );
  return {
    ...NOTHING,
    mark: batch.snapshot ? { install: true, metadata: batch.snapshot } : null,
    entries: batch.entries,
    hardState: given && { term: given.term, vote: given.vote, commit },
  };
}

/** Plans a mark; nothing when a newer one is there. */
export function planMark(state: LogState, metadata: SnapshotMetadata): Change {
  if (metadata.index <= state.mark.index) return NOTHING;
  const prior = state.hardState;
  const commit = Math.max(prior.commit, metadata.index);
  return {
    ...NOTHING,
    mark: { install: false, metadata },
    hardState: { ...prior, commit },
  };
}

/** Plans to forget entries up to `until`; nothing when they are gone. */
export function planFloor(state: LogState, until: LogIndex): Change {
  const index = Math.min(until, state.mark.index);
  if (index <= state.floor.index) return NOTHING;
  const term = state.termAt(index);
  assert(term !== null, "the term of an entry in the log is known");
  return { ...NOTHING, floor: { index, term } };
}

export function planCleanShutdown(): Change {
  return { ...NOTHING, cleanShutdown: true };
}

/** Bytes `change` takes in a payload; 0 when it says nothing. */
export function changeBytes(change: Change): number {
  let bytes = 0;
  if (change.mark !== null) {
    bytes += RECORD_HEADER_BYTES + markBytes(change.mark.metadata);
  }
  for (const entry of change.entries) bytes += entryRecordBytes(entry);
  if (change.floor !== null) bytes += RECORD_HEADER_BYTES + FLOOR_BYTES;
  if (change.hardState !== null) {
    bytes += RECORD_HEADER_BYTES + HARD_STATE_BYTES;
  }
  return change.cleanShutdown ? bytes + RECORD_HEADER_BYTES : bytes;
}

export function writeChange(writer: RecordWriter, change: Change): void {
  if (change.mark !== null) writer.snapshotMark(change.mark);
  for (const entry of change.entries) writer.entry(entry);
  if (change.floor !== null) writer.floor(change.floor);
  if (change.hardState !== null) writer.hardState(change.hardState);
  if (change.cleanShutdown) writer.cleanShutdown();
}

/** What takes records in: `LogState`, or the view around it. */
type RecordAcceptor = Pick<
  LogState,
  | "acceptMark"
  | "acceptEntry"
  | "acceptFloor"
  | "acceptHardState"
  | "acceptFrameEnd"
>;

/** Takes `change` into `log`; returns the rule it breaks, or `null`. */
export function acceptChange(
  log: RecordAcceptor,
  change: Change,
): string | null {
  let broken: string | null = null;
  if (change.mark !== null) broken = log.acceptMark(change.mark);
  for (const entry of change.entries) broken ??= log.acceptEntry(entry);
  if (change.floor !== null) broken ??= log.acceptFloor(change.floor);
  if (change.hardState !== null) {
    broken ??= log.acceptHardState(change.hardState);
  }
  return broken ?? log.acceptFrameEnd();
}
