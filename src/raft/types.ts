/**
 * Log position, 1-based and dense; 0 means "before the log".
 *
 * Plain safe integers: 2^53 entries last 285 years at a million a second, and
 * arithmetic on a brand would need a cast at every step.
 */
export type LogIndex = number;

/** Raft term, safe integer ≥ 0. Never the encryption epoch. */
export type Term = number;

/** Raft id of a member, safe integer > 0, never reused; 0 means none. */
export type RaftId = number;

export const NO_MEMBER: RaftId = 0;

export const ENTRY_NORMAL = 0;
export const ENTRY_CONF_CHANGE_V1 = 1;
export const ENTRY_CONF_CHANGE_V2 = 2;

export type EntryType =
  | typeof ENTRY_NORMAL
  | typeof ENTRY_CONF_CHANGE_V1
  | typeof ENTRY_CONF_CHANGE_V2;

/** One item of the raft log. `data` is never changed after it is made. */
export interface Entry {
  readonly type: EntryType;
  readonly term: Term;
  readonly index: LogIndex;
  readonly data: Uint8Array;
}

/** What must be durable before a promise leaves this member. */
export interface HardState {
  readonly term: Term;
  readonly vote: RaftId;
  readonly commit: LogIndex;
}

/** Membership as stored; id lists ascend. */
export interface ConfState {
  readonly voters: readonly RaftId[];
  readonly votersOutgoing: readonly RaftId[];
  readonly learners: readonly RaftId[];
  readonly learnersNext: readonly RaftId[];
  readonly autoLeave: boolean;
}

export interface SnapshotMetadata {
  readonly confState: ConfState;
  readonly index: LogIndex;
  readonly term: Term;
}

/** A checkpoint as raft sees it; index 0 means none. */
export interface Snapshot {
  readonly data: Uint8Array;
  readonly metadata: SnapshotMetadata;
}

/**
 * Why a log read has no answer: gone by compaction, above the last index, or
 * on disk only and being fetched (the core asks again when told).
 */
export type LogMiss = "compacted" | "unavailable" | "not-cached";

/**
 * The stable log as the core reads it: synchronous, never blocks, read-only.
 *
 * Terms are known for [firstIndex - 1, lastIndex]: the compacted predecessor's
 * term stays readable.
 */
export interface LogStorage {
  initialState(): {
    readonly hardState: HardState;
    readonly confState: ConfState;
  };
  firstIndex(): LogIndex;
  lastIndex(): LogIndex;
  term(index: LogIndex): Term | LogMiss;
  /**
   * Entries of [from, until) as the longest prefix whose encoding size stays
   * within `bytesMax`, never fewer than one.
   */
  entries(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): readonly Entry[] | LogMiss;
  /** The newest checkpoint; `null` while one is being made. */
  snapshot(): Snapshot | null;
}
