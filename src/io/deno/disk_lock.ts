import type { DiskLock } from "../disk.ts";

/** How long a lock without `tryLock` may take before it counts as held. */
const LOCK_WAIT_MS = 300;
/** How long a closing disk waits for attempts that it gave up on. */
const LATE_WAIT_MS = 1_000;

/** Deno 2.5 has no `tryLock`; its type is absent there, so it is named here. */
interface TryLockable {
  tryLock(exclusive: boolean): Promise<boolean>;
}

/**
 * Exclusive locks on files.
 *
 * An attempt without `tryLock` cannot be taken back: one that was given up
 * lets go by itself as soon as it has the lock.
 */
export class FileLocks {
  readonly #late = new Set<Promise<void>>();

  /** Locks `path`, made when absent; `null` when another holds it. */
  async lock(path: string): Promise<DiskLock | null> {
    const file = await Deno.open(path, {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
    try {
      if (!canTryLock(file)) return await this.#lockWithin(file, LOCK_WAIT_MS);
      if (await file.tryLock(true)) return held(file);
      file.close();
      return null;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Waits a moment for attempts that were given up. */
  async close(): Promise<void> {
    if (this.#late.size === 0) return;
    await within(LATE_WAIT_MS, Promise.all(this.#late));
  }

  async #lockWithin(
    file: Deno.FsFile,
    waitMs: number,
  ): Promise<DiskLock | null> {
    const locked = file.lock(true).then(() => true);
    if (await within(waitMs, locked) !== null) return held(file);
    const late = locked.then(() => file.close(), () => file.close());
    this.#late.add(late);
    late.finally(() => this.#late.delete(late));
    return null;
  }
}

function canTryLock(file: object): file is TryLockable {
  return "tryLock" in file && typeof file.tryLock === "function";
}

/** What `task` settles to, or `null` when it takes longer than `waitMs`. */
function within<T>(waitMs: number, task: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), waitMs);
    task.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function held(file: Deno.FsFile): DiskLock {
  return {
    async release() {
      await file.unlock();
      file.close();
    },
  };
}
