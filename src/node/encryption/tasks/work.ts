import { unreachable } from "../../../base/assert.ts";
import { KEYS_MAX } from "../../../base/data_key.ts";
import type { LogIndex } from "../../../raft/types.ts";
import type { BufferedStore } from "../../../store/buffered_store.ts";
import type { Wal } from "../../../wal/wal.ts";
import type { RecordCounts } from "../../encryption_port.ts";
import { TaskFailure } from "./failure.ts";
import { findKeyReferences, type LogReferences } from "./key_references.ts";
import type { TaskControl } from "./runner.ts";
import { NO_FINDING, type TaskFinding, type WorkSpec } from "./task.ts";

/** What a member does its tasks with. */
export interface TaskWorkParts {
  readonly store: Pick<
    BufferedStore,
    "state" | "durable" | "countRecords" | "flush" | "markNoCleartext"
  >;
  readonly wal: Pick<Wal, "storage" | "fetch">;
  /** How many records of each kind there are, just counted. */
  counted(counts: RecordCounts): void;
  /** How many records a full scan is going to meet, as far as is known. */
  expectedRecords(): number;
  /** Lets all files go that hold entries up to `index`. */
  forgetLog(index: LogIndex, control: TaskControl): Promise<void>;
  scrub(control: TaskControl): Promise<void>;
}

/** A member that is behind gets so long to catch up before its task begins. */
const CATCH_UP_MS_MAX = 60_000;
const CATCH_UP_STEP_MS = 50;

/** Carries out one task on this member. */
export async function performTask(
  parts: TaskWorkParts,
  spec: WorkSpec,
  control: TaskControl,
): Promise<TaskFinding> {
  await caughtUp(parts, spec.appliedFrom, control);
  if (control.isOver()) return NO_FINDING;
  control.progress({ state: "running" });
  switch (spec.kind) {
    case "scan":
      return { ...NO_FINDING, counts: await scan(parts, control) };
    case "key-references":
      return await lookForKey(parts, spec.keyId, control);
    case "scrub":
      await parts.scrub(control);
      return NO_FINDING;
    default:
      return unreachable(spec);
  }
}

/** @throws {TaskFailure} */
async function caughtUp(
  { store }: TaskWorkParts,
  index: LogIndex,
  control: TaskControl,
): Promise<void> {
  for (let waitedMs = 0; store.state.applied.index < index;) {
    if (control.isOver()) return;
    if (waitedMs >= CATCH_UP_MS_MAX) {
      const { applied } = store.state;
      throw new TaskFailure(
        `it is behind: it has applied ${applied.index} of ${index} entries`,
      );
    }
    await control.sleep(CATCH_UP_STEP_MS);
    waitedMs += CATCH_UP_STEP_MS;
  }
}

/**
 * Counts all records. One that begins after the storage cutover, and finds no
 * cleartext, leaves a mark that says so for ever.
 */
async function scan(
  { store, counted, expectedRecords }: TaskWorkParts,
  control: TaskControl,
): Promise<RecordCounts | null> {
  const isSealing = store.state.fsm.encryption.storageCutoverIndex > 0;
  const counts = await store.countRecords({
    isOver: () => control.isOver(),
    onProgress: ({ records, bytes }) => {
      const total = Math.max(expectedRecords(), records);
      control.progress({ done: records, total, bytes });
    },
  });
  if (counts === null) return null;
  const records = totalOf(counts);
  control.progress({ done: records, total: records });
  counted(counts);
  // Only a damaged store has more keys than a cluster: nothing is proven then.
  if (counts.sealed.size > KEYS_MAX) {
    throw new TaskFailure(
      `its records name ${counts.sealed.size} keys, more than there can be`,
    );
  }
  if (isSealing && counts.cleartext === 0) await store.markNoCleartext();
  return counts;
}

export function totalOf({ cleartext, sealed }: RecordCounts): number {
  let total = cleartext;
  for (const count of sealed.values()) total += count;
  return total;
}

/** What the log has of a key, after all was let go that need not be there. */
async function lookForKey(
  parts: TaskWorkParts,
  keyId: number,
  control: TaskControl,
): Promise<TaskFinding> {
  const { store } = parts;
  let found = await look(parts, keyId, control);
  await store.flush();
  const { lastIndex } = found;
  const isApplied = lastIndex <= store.durable.applied.index;
  if (lastIndex > 0 && isApplied && !control.isOver()) {
    await parts.forgetLog(lastIndex, control);
    found = await look(parts, keyId, control);
  }
  const checkpointIndex = store.durable.applied.index;
  return { ...NO_FINDING, references: { ...found, checkpointIndex } };
}

function look(
  { wal, store }: TaskWorkParts,
  keyId: number,
  control: TaskControl,
): Promise<LogReferences> {
  const { raftCutoverIndex } = store.state.fsm.encryption;
  return findKeyReferences(wal, {
    ...{ keyId, raftCutoverIndex },
    isOver: () => control.isOver(),
    onProgress: (done) => control.progress({ done }),
  });
}
