import type { LogIndex } from "../../raft/types.ts";
import type { EventLog } from "../../io/log.ts";
import type { Kv } from "../../io/kv.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import { StoreClosedError } from "../../store/errors.ts";
import type { StoreCopy } from "../../store/copy.ts";
import type { Store } from "../../store/store.ts";
import type { RestTask } from "../applier.ts";
import type { StorePlace } from "../store_place.ts";
import { TaskFailure } from "./tasks/failure.ts";
import type { TaskControl } from "./tasks/runner.ts";

/** What one member leaves nothing of older times behind with. */
export interface ScrubParts {
  readonly store: Pick<
    BufferedStore,
    "state" | "flush" | "copyInto" | "replaceWith"
  >;
  readonly place: Pick<
    StorePlace,
    | "path"
    | "installedIndex"
    | "prepareCopy"
    | "switchTo"
    | "discard"
    | "removeStray"
  >;
  readonly log: EventLog;
  readonly openKv: (path: string) => Promise<Kv>;
  /** Opens what `openKv` has filled, as the store. */
  openStore(path: string): Promise<Store>;
  /** Removes all checkpoints of an index below `index`. */
  removeCheckpoints(index: LogIndex): Promise<void>;
  /** Lets all files of the log go that hold entries up to `index`. */
  forgetLog(index: LogIndex, control: TaskControl): Promise<void>;
  /** Runs `task` while nothing is applied, swept or rewritten. */
  rest(task: RestTask): Promise<void>;
  /** The node cannot go on. */
  failed(error: unknown): void;
}

const WATCH_MS = 200;
/** Copies that a checkpoint may come between, before it is given up. */
const TRIES_MAX = 3;

/**
 * Leaves, in the files of this member, nothing that was written before all was
 * sealed:
 *
 * 1. Its records go into a new file, which takes the store's place; free pages
 *    of the old one go with it, and stores that a failure left.
 * 2. Checkpoints of before are removed, and parts of such.
 * 3. So is every file of the log with an entry of before the raft cutover.
 *
 * What the filesystem or the disk keeps of removed files is out of reach.
 *
 * @throws {NodeError | TaskFailure}
 */
export async function scrubMember(
  parts: ScrubParts,
  control: TaskControl,
): Promise<void> {
  const { store, log } = parts;
  const { encryption } = store.state.fsm;
  const { raftCutoverIndex, cleartextLockIndex } = encryption;
  if (raftCutoverIndex === 0 || cleartextLockIndex === 0) {
    throw new TaskFailure("what it writes is not all sealed yet");
  }
  await copyStore(parts, control);
  if (control.isOver()) return;
  await parts.place.removeStray();
  await parts.removeCheckpoints(store.state.applied.index);
  await parts.forgetLog(raftCutoverIndex, control);
  if (control.isOver()) return;
  log.write("info", "member_scrubbed", { index: store.state.applied.index });
}

async function copyStore(
  parts: ScrubParts,
  control: TaskControl,
): Promise<void> {
  for (let attempt = 1; !control.isOver(); attempt += 1) {
    try {
      return await copyOnce(parts, control);
    } catch (error) {
      // A checkpoint took the store's place, and its copy goes on with that.
      const isReplaced = error instanceof StoreClosedError;
      if (!isReplaced || attempt >= TRIES_MAX) throw error;
    }
  }
}

async function copyOnce(
  parts: ScrubParts,
  control: TaskControl,
): Promise<void> {
  const { store, place, openKv } = parts;
  const path = await place.prepareCopy(store.state.applied.index);
  try {
    const kv = await openKv(path);
    try {
      const copy = await store.copyInto(kv);
      const watch = watchCopy(copy, control);
      try {
        await copy.fill();
        if (control.isOver()) return;
        await parts.rest(async (halt) => {
          await store.flush();
          await copy.finish();
          await copy.close();
          kv.close();
          await swap(parts, path, halt);
        });
      } finally {
        watch.stop();
        await copy.close();
      }
    } finally {
      kv.close();
    }
  } finally {
    if (place.path !== path) await place.discard(path);
  }
}

/** Tells how far a copy is, and ends it when nobody wants it any more. */
function watchCopy(
  copy: StoreCopy,
  control: TaskControl,
): { stop(): void } {
  let isStopped = false;
  void (async () => {
    while (!isStopped) {
      control.progress({ done: copy.rows, bytes: copy.bytes });
      if (control.isOver()) return await copy.close();
      await control.sleep(WATCH_MS);
    }
  })();
  return { stop: () => void (isStopped = true) };
}

/** Puts the copy at `path` in the store's place, while nothing is applied. */
async function swap(
  parts: ScrubParts,
  path: string,
  halt: () => void,
): Promise<void> {
  const { store, place, openStore } = parts;
  const old = place.path;
  const next = await openStore(path);
  try {
    await place.switchTo(path, place.installedIndex ?? 0);
    await store.replaceWith(next);
  } catch (error) {
    // A restart takes one of the two: this process cannot tell which, and must
    // not let the log go by the other.
    halt();
    parts.failed(error);
    throw error;
  }
  await place.discard(old);
}
