import type { Disk, DiskLock } from "../io/disk.ts";
import { DataDirLockedError } from "./errors.ts";

/** Where a node keeps what. */
export interface DataDirPaths {
  readonly root: string;
  readonly lock: string;
  /** Directory of the raft log. */
  readonly wal: string;
  /** File of the backing Deno KV. */
  readonly store: string;
}

export function dataDirPaths(root: string): DataDirPaths {
  return {
    root,
    lock: `${root}/LOCK`,
    wal: `${root}/raft`,
    store: `${root}/store.sqlite`,
  };
}

/**
 * Makes `paths.root` if need be and holds it for this process.
 *
 * @throws {DataDirLockedError} When another process holds it.
 */
export async function lockDataDir(
  disk: Disk,
  paths: DataDirPaths,
): Promise<DiskLock> {
  await disk.makeDir(paths.root);
  const lock = await disk.lock(paths.lock);
  if (lock === null) throw new DataDirLockedError(paths.root);
  return lock;
}
