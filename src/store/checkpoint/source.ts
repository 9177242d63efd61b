import type { Bytes } from "../../base/bytes.ts";
import type { RecordKey, StoredRecord } from "../../fsm/types.ts";
import type { CheckpointState } from "../meta.ts";

/** One record and its place. Bytes are views: keep them, do not change them. */
export interface CheckpointRecord extends RecordKey, StoredRecord {}

/** All of a store at one applied index. */
export interface CheckpointSource {
  readonly state: CheckpointState;
  /**
   * Every record, expired ones too, once, in the order of rows (`compareRows`).
   * May be called once.
   */
  records(): AsyncIterable<readonly CheckpointRecord[]>;
  /** Frees what it holds, at any moment; again does nothing. */
  close(): Promise<void>;
}

/** What a written stream has. */
export interface CheckpointSummary {
  readonly bytes: number;
  readonly records: number;
  /** 32 bytes that tell this stream from every other: its header's hash. */
  readonly digest: Bytes;
}
