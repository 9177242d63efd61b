import type {
  GetChangeUnderWayResponse,
  GetRolloutResponse,
  ListEventsResponse,
  MemberTask,
  RecordCounts,
  RewriteJob,
  VerifyRecordsResponse,
  WatchRewriteResponse,
} from "./gen/encryption_pb.ts";
import { RESULT_NAME, STATE_NAME } from "./rollout_names.ts";

/** Re-sealing as all members carry it out. */
export interface ClusterRewrite {
  /** Index of the entry that started it: names the job. */
  readonly id: bigint;
  /** Of values, on each member; 0 for no bound. */
  readonly bytesPerSecond: bigint;
  readonly isPaused: boolean;
}

/** The rollout as one member has applied it. */
export interface ClusterRollout {
  /** `null`: none was ever started. */
  readonly rewrite: ClusterRewrite | null;
  /** Unix ms until which later one-way steps wait; 0 for not. */
  readonly dwellUntilMs: bigint;
}

export type ClusterTaskState =
  | "waiting"
  | "running"
  | "paused"
  | "done"
  | "failed"
  /** It does not answer. */
  | "silent"
  | "unknown";

/** How a long task of one member is getting on. */
export interface ClusterTask {
  readonly member: string;
  readonly state: ClusterTaskState;
  /** In records; `total` is 0 while it is not known. */
  readonly done: bigint;
  readonly total: bigint;
  /** Of values. */
  readonly bytes: bigint;
  /** Since it began there. */
  readonly elapsedMs: bigint;
  /** A failure in words; "" for none. */
  readonly failure: string;
}

/** The rewrite at one moment. */
export interface ClusterRewriteProgress {
  readonly job: ClusterRewrite | null;
  readonly members: readonly ClusterTask[];
}

/** A change that members take their time for, as its leader sees it. */
export interface ClusterChangeUnderWay {
  /** As its command is called. */
  readonly action: string;
  readonly members: readonly ClusterTask[];
}

/** Records of one member, by how they are kept. */
export interface ClusterRecordCounts {
  readonly cleartext: bigint;
  /** By key id, ascending. */
  readonly sealed: readonly {
    readonly keyId: number;
    readonly records: bigint;
  }[];
}

export interface ClusterScan extends ClusterTask {
  /** `null` until it is done. */
  readonly counts: ClusterRecordCounts | null;
}

/** One step that was asked for, and what became of it. */
export interface ClusterEvent {
  /** Of the entry that recorded it. */
  readonly index: bigint;
  /** Unix ms, by the clock of the leader that recorded it. */
  readonly atMs: bigint;
  readonly actor: string;
  /** As its command is called. */
  readonly action: string;
  readonly planHash: string;
  readonly result: "done" | "unchanged" | "refused" | "unknown";
  /** Of the entry that did it; 0 for none. */
  readonly entry: bigint;
  /** Code of a refusal, or what was asked for. */
  readonly detail: string;
}

export function rolloutOf(
  { rewrite, dwellUntilMs }: GetRolloutResponse,
): ClusterRollout {
  return { rewrite: jobOf(rewrite), dwellUntilMs };
}

/** Words of a newer version are "unknown". */
export function eventsOf(
  { events }: ListEventsResponse,
): readonly ClusterEvent[] {
  return events.map((event) => {
    const { index, atMs, actor, action, planHash, entry, detail } = event;
    const result = RESULT_NAME[event.result] ?? "unknown";
    return { index, atMs, actor, action, planHash, result, entry, detail };
  });
}

export function rewriteProgressOf(
  { job, members }: WatchRewriteResponse,
): ClusterRewriteProgress {
  return { job: jobOf(job), members: members.map(taskOf) };
}

export function changeUnderWayOf(
  { action, members }: GetChangeUnderWayResponse,
): ClusterChangeUnderWay | null {
  return action === "" ? null : { action, members: members.map(taskOf) };
}

export function scansOf(
  { members }: VerifyRecordsResponse,
): readonly ClusterScan[] {
  return members.flatMap(({ task, counts }) =>
    task === undefined ? [] : [{ ...taskOf(task), counts: countsOf(counts) }]
  );
}

function jobOf(job: RewriteJob | undefined): ClusterRewrite | null {
  if (job === undefined) return null;
  const { id, bytesPerSecond, paused } = job;
  return { id, bytesPerSecond, isPaused: paused };
}

function taskOf(task: MemberTask): ClusterTask {
  const { member, done, total, bytes, elapsedMs, failure } = task;
  const state = STATE_NAME[task.state] ?? "unknown";
  return { member, state, done, total, bytes, elapsedMs, failure };
}

function countsOf(
  counts: RecordCounts | undefined,
): ClusterRecordCounts | null {
  if (counts === undefined) return null;
  const sealed = counts.sealed
    .map(({ keyId, records }) => ({ keyId, records }))
    .sort((a, b) => a.keyId - b.keyId);
  return { cleartext: counts.cleartext, sealed };
}
