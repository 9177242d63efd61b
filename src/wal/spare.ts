import type { Disk } from "../io/disk.ts";

const FILL_BYTES = 2 ** 20;
/** Syncing in steps keeps the log's own syncs from waiting for all of it. */
const FILL_SYNC_BYTES = 4 * 2 ** 20;

/** A file of zeros, durable but for its name, that becomes a segment. */
export interface Spare {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Makes a file of `bytes` zeros, written and not just promised, so that a
 * sync of the log never has blocks to allocate.
 *
 * Returns `null` when `stopped` says so on the way. @throws {DiskError}
 */
export async function fillSpare(
  disk: Disk,
  path: string,
  bytes: number,
  stopped: () => boolean = () => false,
): Promise<Spare | null> {
  await disk.remove(path);
  const file = await disk.open(path, "create");
  try {
    const zeros = new Uint8Array(Math.min(FILL_BYTES, bytes));
    let unsynced = 0;
    for (let at = 0; at < bytes; at += zeros.length) {
      if (stopped()) return null;
      const length = Math.min(zeros.length, bytes - at);
      await file.writeAt(at, zeros.subarray(0, length));
      unsynced += length;
      if (unsynced < FILL_SYNC_BYTES) continue;
      await file.sync();
      unsynced = 0;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { path, bytes };
}
