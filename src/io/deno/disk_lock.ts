import type { DiskLock } from "../disk.ts";

/** How long a lock without `tryLock` may take before it counts as held. */
const LOCK_WAIT_MS = 300;

/** Deno 2.5 has no `tryLock`; its type is absent there, so it is named here. */
interface TryLockable {
  tryLock(exclusive: boolean): Promise<boolean>;
}

/** Locks the file `path`, made when absent; `null` when another holds it. */
export async function lockFile(path: string): Promise<DiskLock | null> {
  const file = await Deno.open(path, {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
  try {
    if (canTryLock(file)) {
      if (await file.tryLock(true)) return held(file);
      file.close();
      return null;
    }
    return await lockWithin(file, LOCK_WAIT_MS);
  } catch (error) {
    file.close();
    throw error;
  }
}

function canTryLock(file: object): file is TryLockable {
  return "tryLock" in file && typeof file.tryLock === "function";
}

/** Waits up to `waitMs`; a lock that comes later is let go at once. */
function lockWithin(
  file: Deno.FsFile,
  waitMs: number,
): Promise<DiskLock | null> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      resolve(null);
    }, waitMs);
    file.lock(true).then(() => {
      clearTimeout(timer);
      if (late) file.close();
      else resolve(held(file));
    }, (error) => {
      clearTimeout(timer);
      if (late) file.close();
      else reject(error);
    });
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
