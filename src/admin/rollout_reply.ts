import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ChangeUnderWay,
  EncryptionPort,
  MemberScan,
  MemberTask,
  RecordCounts,
} from "../node/encryption_port.ts";
import type {
  GetChangeUnderWayResponseSchema,
  GetRolloutResponseSchema,
  ListEventsResponseSchema,
  MemberTaskSchema,
  RecordCountsSchema,
  RewriteJobSchema,
  VerifyRecordsResponseSchema,
  WatchRewriteResponseSchema,
} from "./gen/encryption_pb.ts";
import { RESULT_NUMBER, STATE_NUMBER } from "./rollout_names.ts";

type Rollout = ReturnType<EncryptionPort["rolloutState"]>;

/** The rollout as GetRollout answers it. */
export function rolloutReply(
  { rewrite, dwellUntilMs }: Rollout,
): MessageInitShape<typeof GetRolloutResponseSchema> {
  return { rewrite: jobReply(rewrite), dwellUntilMs: BigInt(dwellUntilMs) };
}

/** The history as ListEvents answers it. */
export function eventsReply(
  { events }: Pick<Rollout, "events">,
): MessageInitShape<typeof ListEventsResponseSchema> {
  return {
    events: events.map(({ index, atMs, result, entry, ...texts }) => ({
      ...texts,
      index: BigInt(index),
      atMs: BigInt(atMs),
      result: RESULT_NUMBER[result],
      entry: BigInt(entry),
    })),
  };
}

/** The job and how far members are with it, as WatchRewrite tells it. */
export function rewriteReply(
  { rewrite }: Pick<Rollout, "rewrite">,
  members: readonly MemberTask[],
): MessageInitShape<typeof WatchRewriteResponseSchema> {
  return { job: jobReply(rewrite), members: members.map(taskReply) };
}

/** The long change as GetChangeUnderWay answers it. */
export function changeUnderWayReply(
  change: ChangeUnderWay | null,
): MessageInitShape<typeof GetChangeUnderWayResponseSchema> {
  if (change === null) return {};
  return { action: change.action, members: change.members.map(taskReply) };
}

/** Counts, as far as they are, as VerifyRecords tells them. */
export function scanReply(
  members: readonly MemberScan[],
): MessageInitShape<typeof VerifyRecordsResponseSchema> {
  return {
    members: members.map(({ counts, ...task }) => ({
      task: taskReply(task),
      counts: counts === null ? undefined : countsReply(counts),
    })),
  };
}

function jobReply(
  job: Rollout["rewrite"],
): MessageInitShape<typeof RewriteJobSchema> | undefined {
  return job === null ? undefined : {
    id: BigInt(job.id),
    bytesPerSecond: BigInt(job.bytesPerSecond),
    paused: job.isPaused,
  };
}

function taskReply(
  { member, state, failure, ...numbers }: MemberTask,
): MessageInitShape<typeof MemberTaskSchema> {
  return {
    member,
    state: STATE_NUMBER[state],
    done: BigInt(numbers.done),
    total: BigInt(numbers.total),
    bytes: BigInt(numbers.bytes),
    elapsedMs: BigInt(Math.max(0, Math.round(numbers.elapsedMs))),
    failure,
  };
}

function countsReply(
  { cleartext, sealed }: RecordCounts,
): MessageInitShape<typeof RecordCountsSchema> {
  return {
    cleartext: BigInt(cleartext),
    sealed: [...sealed].map(([keyId, records]) => (
      { keyId, records: BigInt(records) }
    )),
  };
}
