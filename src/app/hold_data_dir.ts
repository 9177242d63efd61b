import type { Disk, DiskLock } from "../io/disk.ts";
import { DiskNotFoundError } from "../io/errors.ts";
import { dataDirPaths } from "../node/data_dir.ts";
import { DataDirLockedError } from "../node/errors.ts";

/**
 * Holds a data dir that is there.
 *
 * @throws {DiskNotFoundError} @throws {DataDirLockedError}
 */
export async function holdDataDir(
  disk: Disk,
  dataDir: string,
): Promise<DiskLock> {
  const { root, lock: path } = dataDirPaths(dataDir);
  if (!await disk.exists(root)) throw new DiskNotFoundError("list", root);
  const lock = await disk.lock(path);
  if (lock === null) throw new DataDirLockedError(dataDir);
  return lock;
}
