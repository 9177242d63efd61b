import type { Bytes } from "../../base/bytes.ts";
import type { LogIndex, RaftId, SnapshotMetadata } from "../../raft/types.ts";

/** An immutable file of the store's state at `index`, whole on disk. */
export interface CheckpointFile extends SnapshotMetadata {
  readonly path: string;
  /** Length of the file. */
  readonly bytes: number;
  /** DIGEST_BYTES that tell this file from every other one. */
  readonly digest: Bytes;
}

/** Makes checkpoints of this member's store. */
export interface CheckpointMaker {
  /**
   * Writes the store's durable state to the new file `path` and syncs it.
   *
   * @throws {NodeError} After which nothing is left at `path`.
   */
  make(path: string): Promise<CheckpointFile>;
}

/** Turns a received file into a store that can take the place of ours. */
export interface CheckpointInstaller {
  /**
   * Verifies the whole file, then builds a store from it beside the one in
   * use, which is not touched. The file may go once this has resolved.
   *
   * @throws {NodeError} STORE_CHECKPOINT_DAMAGED when the bytes are not those
   * that were made: they are fetched again. Another code: they are not.
   */
  prepare(path: string): Promise<Prepared>;
}

/** A verified store beside the one in use, owned by who holds this. */
export interface Prepared {
  readonly metadata: SnapshotMetadata;
  /** Removes it. */
  discard(): Promise<void>;
}

/** What became of a `send`; maps to `Core.reportSnapshot`. */
export type SendOutcome = "delivered" | "failed";

/** What became of a prepared checkpoint. */
export type InstallOutcome = "installed" | "not-needed";

/** One checkpoint on its way from this member. */
export interface TransferStatus {
  readonly peer: RaftId;
  /** Bytes that the peer has or that are on their way to it. */
  readonly sent: number;
  /** 0 while it waits in line or for its file. */
  readonly total: number;
}

/** Entries of the log that must outlive compaction. */
export interface LogHold {
  /** Entries above this index are needed; `null` when none are. */
  retainFrom(): LogIndex | null;
  /** Gives all holds of this moment up: they kept `bytes` of log. */
  drop(bytes: number): void;
}
