import { NodeError } from "../../base/error.ts";
import type { Clock, Timer } from "../../io/clock.ts";
import type { Disk } from "../../io/disk.ts";
import type { EventLog } from "../../io/log.ts";
import type { LogIndex } from "../../raft/types.ts";
import { CheckpointInterruptedError } from "./errors.ts";
import { CHECKPOINT_KEEP_MS } from "./limits.ts";
import type { CheckpointFile, CheckpointMaker } from "./port.ts";

/** What the files are made with, and where. */
export interface OutgoingParts {
  readonly disk: Disk;
  /** The directory of checkpoints; is there. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly maker: CheckpointMaker;
  /** This program is wrong, and should end. */
  readonly onFatal: (error: unknown) => void;
}

interface Held {
  readonly file: CheckpointFile;
  users: number;
  /** Not for new users. */
  isSpoiled: boolean;
  /** Removes it, while it has no users. */
  timer: Timer | null;
  /** Resolves when it is removed, or is left to the next start. */
  readonly gone: PromiseWithResolvers<void>;
}

/** Names of the files begin with it. */
export const OUTGOING_PREFIX = "outgoing-";
/** With what a failure to make one may leave. */
const OWN_NAME = /^outgoing-\d+\.ckpt(\.tmp)?$/;

/**
 * The checkpoints of this member that are being sent, or were a moment ago.
 *
 * At most one is being made, and at most one waits unused.
 */
export class OutgoingFiles {
  readonly #parts: OutgoingParts;
  readonly #held = new Set<Held>();
  readonly #removals = new Set<Promise<void>>();
  #making: Promise<Held> | null = null;
  #sequence = 0;
  #isClosed = false;

  private constructor(parts: OutgoingParts) {
    this.#parts = parts;
  }

  /** Removes what an earlier process left. @throws {DiskError} */
  static async open(parts: OutgoingParts): Promise<OutgoingFiles> {
    const { disk, dir } = parts;
    for (const { name } of await disk.list(dir)) {
      if (name.startsWith(OUTGOING_PREFIX)) await disk.remove(`${dir}/${name}`);
    }
    return new OutgoingFiles(parts);
  }

  /**
   * Gives a file that `fits`, made now if need be; `release` it after.
   *
   * @throws {CheckpointInterruptedError} When not even a fresh one fits.
   * @throws {NodeError} When none can be made.
   */
  async acquire(
    fits: (file: CheckpointFile) => boolean,
  ): Promise<CheckpointFile> {
    for (;;) {
      if (this.#isClosed) {
        throw new CheckpointInterruptedError("this member is stopping");
      }
      for (const held of this.#held) {
        if (!held.isSpoiled && fits(held.file)) return this.#use(held);
      }
      if (this.#making === null) break;
      await this.#making.catch(() => {});
    }
    this.#making = this.#make();
    const held = await this.#making.finally(() => this.#making = null);
    if (!fits(held.file)) {
      throw new CheckpointInterruptedError("no checkpoint suits the member");
    }
    return this.#use(held);
  }

  /** The last one who calls this removes the file, in the end. */
  release(file: CheckpointFile): void {
    const held = this.#heldOf(file);
    if (held === undefined) return;
    held.users -= 1;
    if (held.users === 0) this.#idle(held);
  }

  /** Keeps `file` from being used again: its bytes may be damaged. */
  spoil(file: CheckpointFile): void {
    const held = this.#heldOf(file);
    if (held !== undefined) held.isSpoiled = true;
  }

  /**
   * Keeps files of an index below `index` from being used again, and resolves
   * once they are gone; their users are to let go of them.
   *
   * @throws {DiskError} One is left.
   */
  async removeBelow(index: LogIndex): Promise<void> {
    await this.#making?.catch(() => {});
    const gone: Promise<void>[] = [];
    for (const held of this.#held) {
      if (held.file.index >= index) continue;
      held.isSpoiled = true;
      if (held.users === 0) this.#remove(held);
      gone.push(held.gone.promise);
    }
    await Promise.all(gone);
    await this.#removeStray();
  }

  /** Removes what is left of files that could not be removed, or made. */
  async #removeStray(): Promise<void> {
    const { disk, dir } = this.#parts;
    for (const { name } of await disk.list(dir)) {
      if (!OWN_NAME.test(name)) continue;
      const path = `${dir}/${name}`;
      const isHeld = [...this.#held].some(({ file }) => file.path === path);
      const isMade = this.#making !== null && path.startsWith(this.#newest);
      if (!isHeld && !isMade) await disk.remove(path);
    }
  }

  /** Removes files that nobody uses at once. */
  removeIdle(): void {
    for (const held of this.#held) {
      if (held.users === 0) this.#remove(held);
    }
  }

  /** Ends once the files that have no users are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#making?.catch(() => {});
    this.removeIdle();
    await Promise.all(this.#removals);
  }

  /** Where the last one that was begun lies, or lay. */
  get #newest(): string {
    return `${this.#parts.dir}/${OUTGOING_PREFIX}${this.#sequence}.ckpt`;
  }

  async #make(): Promise<Held> {
    this.#sequence += 1;
    const file = await this.#parts.maker.make(this.#newest);
    const gone = Promise.withResolvers<void>();
    const held: Held = { file, users: 0, isSpoiled: false, timer: null, gone };
    this.#held.add(held);
    this.#idle(held);
    return held;
  }

  #use(held: Held): CheckpointFile {
    held.timer?.cancel();
    held.timer = null;
    held.users += 1;
    return held.file;
  }

  #idle(held: Held): void {
    for (const other of this.#held) {
      if (other !== held && other.users === 0) this.#remove(other);
    }
    if (held.isSpoiled || this.#isClosed) return this.#remove(held);
    const { clock } = this.#parts;
    held.timer = clock.after(CHECKPOINT_KEEP_MS, () => this.#remove(held));
  }

  #remove(held: Held): void {
    held.timer?.cancel();
    this.#held.delete(held);
    const { disk, log, onFatal } = this.#parts;
    const { path } = held.file;
    const removal = disk.remove(path).catch((error) => {
      if (!(error instanceof NodeError)) return onFatal(error);
      // The next start removes it.
      log.write("warn", "checkpoint_file_left", { path, error: error.code });
    }).finally(() => {
      this.#removals.delete(removal);
      held.gone.resolve();
    });
    this.#removals.add(removal);
  }

  #heldOf(file: CheckpointFile): Held | undefined {
    return [...this.#held].find((held) => held.file === file);
  }
}
