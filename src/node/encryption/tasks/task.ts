import type { KeyId } from "../../../base/data_key.ts";
import type { LogIndex, RaftId } from "../../../raft/types.ts";
import type { MemberTask, RecordCounts } from "../../encryption_port.ts";

/** What a member is asked to do. */
export type TaskSpec =
  /** Counts all records, from when `appliedFrom` is applied on. */
  | { readonly kind: "scan"; readonly appliedFrom: LogIndex }
  /** Looks through the whole log for raft envelopes of a key. */
  | {
    readonly kind: "key-references";
    readonly appliedFrom: LogIndex;
    readonly keyId: KeyId;
  }
  | { readonly kind: "scrub"; readonly appliedFrom: LogIndex }
  /**
   * Begins nothing: how is the rewrite job getting on? Who has yet to apply
   * `appliedFrom` knows an older job, and waits.
   */
  | { readonly kind: "rewrite"; readonly appliedFrom: LogIndex };

/** One that a member begins, and ends. */
export type WorkSpec = Exclude<TaskSpec, { readonly kind: "rewrite" }>;

/** One question about a task; the same `task` is begun once. */
export interface TaskAsk {
  /** Drawn by who asks. */
  readonly task: number;
  readonly spec: TaskSpec;
}

/** What refers to a raft key on one member. */
export interface KeyReferences {
  /** Envelopes of the key in the log. */
  readonly entries: number;
  /** Of the last one; 0 for none. */
  readonly lastIndex: LogIndex;
  /** What a restart finds applied without the log. */
  readonly checkpointIndex: LogIndex;
}

/** What a task found; each `null` until it is done, or for other tasks. */
export interface TaskFinding {
  readonly counts: RecordCounts | null;
  readonly references: KeyReferences | null;
}

export const NO_FINDING: TaskFinding = { counts: null, references: null };

/** How far a task is, as its member tells it. */
export interface TaskProgress extends TaskFinding {
  readonly state: Exclude<MemberTask["state"], "silent">;
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly failure: string;
}

/** A member's answer to a question. */
export interface TaskReport extends TaskProgress {
  readonly task: number;
}

/** As `TaskProgress`, of a member that may not answer. */
export interface MemberReport extends MemberTask, TaskFinding {}

/** Who is asked. */
export interface TaskTarget {
  readonly id: RaftId;
  readonly name: string;
}
