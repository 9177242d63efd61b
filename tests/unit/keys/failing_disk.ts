import type { Disk } from "../../../src/io/disk.ts";
import { DiskError } from "../../../src/io/errors.ts";

/** `disk`, but what changes it fails from call `at` on, counted from 1. */
export function failingDisk(disk: Disk, fault: { at: number }): Disk {
  let calls = 0;
  const guard = (path: string) => {
    calls += 1;
    if (calls >= fault.at) throw new Failure(path);
  };
  return {
    open: async (path, mode) => {
      if (mode === "create") guard(path);
      const file = await disk.open(path, mode);
      return {
        path,
        size: () => file.size(),
        readAt: (offset, length) => file.readAt(offset, length),
        writeAt: async (offset, bytes) => {
          guard(path);
          await file.writeAt(offset, bytes);
        },
        writeAndSync: async (offset, bytes) => {
          guard(path);
          await file.writeAndSync(offset, bytes);
        },
        sync: async () => {
          guard(path);
          await file.sync();
        },
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
      };
    },
    list: (path) => disk.list(path),
    makeDir: async (path) => {
      guard(path);
      await disk.makeDir(path);
    },
    rename: async (from, to) => {
      guard(from);
      await disk.rename(from, to);
    },
    remove: async (path) => {
      guard(path);
      await disk.remove(path);
    },
    exists: (path) => disk.exists(path),
    syncDir: async (path) => {
      guard(path);
      await disk.syncDir(path);
    },
    lock: (path) => disk.lock(path),
  };
}

export class Failure extends DiskError {
  override readonly code = "IO_FAILED";
  override readonly remedy = "none";
  constructor(path: string) {
    super("as a test says", "write", path);
  }
}
