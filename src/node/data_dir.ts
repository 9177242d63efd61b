import { parentOf } from "../base/path.ts";
import type { Disk, DiskLock } from "../io/disk.ts";
import { DiskDeniedError } from "../io/errors.ts";
import { DataDirLockedError } from "./errors.ts";

/** Where a node keeps what. */
export interface DataDirPaths {
  readonly root: string;
  readonly lock: string;
  /** Directory of the raft log. */
  readonly wal: string;
  /** File of the backing Deno KV. */
  readonly store: string;
  /** Who the node is. */
  readonly identity: string;
  /** Directory of checkpoints that are being sent or received. */
  readonly checkpoints: string;
  /** Directory of the sidecar. */
  readonly encryption: string;
}

/** Matches names of what a rebuild of a member put aside. */
export const OLD_SUFFIX = /\.old-[0-9]{8}T[0-9]{6}Z$/;

export function dataDirPaths(root: string): DataDirPaths {
  return {
    root,
    lock: `${root}/LOCK`,
    wal: `${root}/raft`,
    store: `${root}/store.sqlite`,
    identity: `${root}/NODE`,
    checkpoints: `${root}/checkpoints`,
    encryption: `${root}/encryption`,
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
  await makeDurableDir(disk, paths.root);
  const lock = await disk.lock(paths.lock);
  if (lock === null) throw new DataDirLockedError(paths.root);
  return lock;
}

/**
 * Makes `path` so that a crash cannot take its name, nor its parents'.
 *
 * What is there already may have been made by a start that a crash cut short:
 * its name is synced too, unless its parent is not ours to open.
 */
async function makeDurableDir(disk: Disk, path: string): Promise<void> {
  if (path === "" || path === "." || path === "/") return;
  const parent = parentOf(path);
  if (await disk.exists(path)) {
    await disk.syncDir(parent).catch((error) => {
      if (!(error instanceof DiskDeniedError)) throw error;
    });
    return;
  }
  await makeDurableDir(disk, parent);
  await disk.makeDir(path);
  await disk.syncDir(parent);
}
