import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Bytes, equalBytes } from "../../../base/bytes.ts";
import { type KeyId, KEYS_MAX, NO_KEY } from "../../../base/data_key.ts";
import type { RecordCounts } from "../../encryption_port.ts";
import {
  type RecordTally,
  TaskAskSchema,
  TaskKind,
  type TaskReport as ReportMessage,
  TaskReportSchema,
  TaskState,
} from "../../gen/member_task_pb.ts";
import type { TaskAsk, TaskReport, TaskSpec } from "./task.ts";

/** KEYS_MAX and RETIRED keys of two numbers each, and a failure, come to less. */
const REPORT_BYTES_MAX = 16_384;
const ASK_BYTES_MAX = 64;
/** Characters of a failure that travel. */
export const FAILURE_LENGTH_MAX = 1_000;

const KINDS = {
  scan: TaskKind.SCAN,
  "key-references": TaskKind.KEY_REFERENCES,
  scrub: TaskKind.SCRUB,
  rewrite: TaskKind.REWRITE,
} as const;

const STATES = {
  waiting: TaskState.WAITING,
  running: TaskState.RUNNING,
  paused: TaskState.PAUSED,
  done: TaskState.DONE,
  failed: TaskState.FAILED,
} as const;

export function encodeTaskAsk({ task, spec }: TaskAsk): Bytes {
  const message = create(TaskAskSchema, {
    task: BigInt(task),
    kind: KINDS[spec.kind],
    appliedFrom: BigInt(spec.appliedFrom),
    keyId: spec.kind === "key-references" ? spec.keyId : NO_KEY,
  });
  return toBinary(TaskAskSchema, message);
}

/** Reads what `encodeTaskAsk` wrote; `null` for anything else. */
export function decodeTaskAsk(bytes: Uint8Array): TaskAsk | null {
  if (bytes.length > ASK_BYTES_MAX) return null;
  const message = parsed(() => fromBinary(TaskAskSchema, bytes));
  if (message === null) return null;
  const task = natural(message.task);
  const appliedFrom = natural(message.appliedFrom);
  if (task === null || task === 0 || appliedFrom === null) return null;
  const spec = specOf(message.kind, appliedFrom, message.keyId);
  if (spec === null) return null;
  const ask = { task, spec };
  return equalBytes(encodeTaskAsk(ask), bytes) ? ask : null;
}

function specOf(
  kind: TaskKind,
  appliedFrom: number,
  keyId: KeyId,
): TaskSpec | null {
  switch (kind) {
    case TaskKind.SCAN:
      return { kind: "scan", appliedFrom };
    case TaskKind.KEY_REFERENCES:
      return keyId === NO_KEY
        ? null
        : { kind: "key-references", appliedFrom, keyId };
    case TaskKind.SCRUB:
      return { kind: "scrub", appliedFrom };
    case TaskKind.REWRITE:
      return { kind: "rewrite", appliedFrom };
    default:
      return null;
  }
}

export function encodeTaskReport(report: TaskReport): Bytes {
  const { counts, references } = report;
  const message = create(TaskReportSchema, {
    task: BigInt(report.task),
    state: STATES[report.state],
    done: BigInt(report.done),
    total: BigInt(report.total),
    bytes: BigInt(report.bytes),
    elapsedMs: BigInt(report.elapsedMs),
    failure: report.failure.slice(0, FAILURE_LENGTH_MAX),
    ...(counts === null ? {} : { counts: tallyOf(counts) }),
    ...(references === null ? {} : {
      references: {
        entries: BigInt(references.entries),
        lastIndex: BigInt(references.lastIndex),
        checkpointIndex: BigInt(references.checkpointIndex),
      },
    }),
  });
  return toBinary(TaskReportSchema, message);
}

function tallyOf({ cleartext, sealed }: RecordCounts) {
  return {
    cleartext: BigInt(cleartext),
    sealed: [...sealed].sort(([a], [b]) => a - b)
      .map(([keyId, records]) => ({ keyId, records: BigInt(records) })),
  };
}

/** Reads what `encodeTaskReport` wrote; `null` for anything else. */
export function decodeTaskReport(bytes: Uint8Array): TaskReport | null {
  if (bytes.length > REPORT_BYTES_MAX) return null;
  const message = parsed(() => fromBinary(TaskReportSchema, bytes));
  if (message === null) return null;
  const report = reportOf(message);
  if (report === null) return null;
  // A later program may say more: that is not understood here.
  return equalBytes(encodeTaskReport(report), bytes) ? report : null;
}

function reportOf(message: ReportMessage): TaskReport | null {
  const [task, done, total, size, elapsedMs] = [
    message.task,
    message.done,
    message.total,
    message.bytes,
    message.elapsedMs,
  ].map(natural);
  const state = stateOf(message.state);
  const counts = message.counts === undefined ? null : countsOf(message.counts);
  const references = referencesOf(message);
  if (
    !task || state === null || isMissing(done) || isMissing(total) ||
    isMissing(size) || isMissing(elapsedMs)
  ) return null;
  if (message.counts !== undefined && counts === null) return null;
  if (message.references !== undefined && references === null) return null;
  return {
    ...{ task, state, done, total, bytes: size, elapsedMs },
    ...{ failure: message.failure, counts, references },
  };
}

function isMissing(
  value: number | null | undefined,
): value is null | undefined {
  return value === null || value === undefined;
}

function stateOf(state: TaskState): TaskReport["state"] | null {
  switch (state) {
    case TaskState.WAITING:
      return "waiting";
    case TaskState.RUNNING:
      return "running";
    case TaskState.PAUSED:
      return "paused";
    case TaskState.DONE:
      return "done";
    case TaskState.FAILED:
      return "failed";
    default:
      return null;
  }
}

function countsOf(tally: RecordTally): RecordCounts | null {
  const cleartext = natural(tally.cleartext);
  if (cleartext === null || tally.sealed.length > KEYS_MAX) return null;
  const sealed = new Map<KeyId, number>();
  for (const { keyId, records } of tally.sealed) {
    const count = natural(records);
    if (count === null || keyId === NO_KEY) return null;
    sealed.set(keyId, count);
  }
  return { cleartext, sealed };
}

function referencesOf({ references }: ReportMessage): TaskReport["references"] {
  if (references === undefined) return null;
  const entries = natural(references.entries);
  const lastIndex = natural(references.lastIndex);
  const checkpointIndex = natural(references.checkpointIndex);
  if (entries === null || lastIndex === null || checkpointIndex === null) {
    return null;
  }
  return { entries, lastIndex, checkpointIndex };
}

function natural(value: bigint): number | null {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}

function parsed<Message>(parse: () => Message): Message | null {
  try {
    return parse();
  } catch {
    return null;
  }
}
