import type { Disk, DiskFile, OpenMode } from "../../../src/io/disk.ts";
import type { Dice } from "../raft/dice.ts";
import type { SimDisk } from "../io/disk.ts";
import type { Latency, Life } from "./life.ts";

/** How long a device takes. */
export class Device {
  /** All of it takes that many times as long: a disk that is about to fail. */
  slowness = 1;
  /** So many commits of the backing store fail from now on. */
  failingCommits = 0;
  readonly #dice: Dice;
  /** When the last operation on each path ends: one at a time, in order. */
  readonly #busyUntil = new Map<string, number>();

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  latency(meanMs: number): Latency {
    const total = this.#dice.exponential(meanMs) * this.slowness;
    // Where a crash falls between effect and answer.
    const before = this.#dice.chance(0.5) ? total : total * 0.3;
    return { before, after: total - before };
  }

  /** As `latency`, behind what `path` is busy with. */
  queued(path: string, nowMs: number, meanMs: number): Latency {
    const { before, after } = this.latency(meanMs);
    const at = Math.max(this.#busyUntil.get(path) ?? 0, nowMs) + before;
    this.#busyUntil.set(path, at);
    return { before: at - nowMs, after };
  }
}

const ACCESS_MS = 0.06;
const SYNC_MS = 0.8;

/** The disk as one life of the machine sees it. */
export function hostDisk(life: Life, disk: SimDisk, device: Device): Disk {
  const take = <T>(
    path: string,
    meanMs: number,
    effect: () => Promise<T>,
  ): Promise<T> => {
    const nowMs = life.host.time.monotonicMs();
    return life.operate(device.queued(path, nowMs, meanMs), effect);
  };
  return {
    open: async (path: string, mode: OpenMode) => {
      const file = await take(path, ACCESS_MS, () => disk.open(path, mode));
      return hostFile(life, file, take);
    },
    list: (path) => take(path, ACCESS_MS, () => disk.list(path)),
    makeDir: (path) => take(path, ACCESS_MS, () => disk.makeDir(path)),
    rename: (from, to) => take(from, ACCESS_MS, () => disk.rename(from, to)),
    remove: (path) => take(path, ACCESS_MS, () => disk.remove(path)),
    exists: (path) => take(path, ACCESS_MS, () => disk.exists(path)),
    syncDir: (path) => take(path, SYNC_MS, () => disk.syncDir(path)),
    lock: (path) => take(path, ACCESS_MS, () => disk.lock(path)),
  };
}

type Take = <T>(
  path: string,
  meanMs: number,
  effect: () => Promise<T>,
) => Promise<T>;

function hostFile(life: Life, file: DiskFile, take: Take): DiskFile {
  const { path } = file;
  const { observer } = life.host;
  return {
    path,
    size: () => take(path, ACCESS_MS, () => file.size()),
    readAt: (offset, length) =>
      take(path, ACCESS_MS, () => file.readAt(offset, length)),
    writeAt: (offset, bytes) => {
      observer.wrote(path, bytes);
      return take(path, ACCESS_MS, () => file.writeAt(offset, bytes));
    },
    writeAndSync: (offset, bytes) => {
      observer.wrote(path, bytes);
      return take(path, SYNC_MS, () => file.writeAndSync(offset, bytes));
    },
    sync: () => take(path, SYNC_MS, () => file.sync()),
    truncate: (length) => take(path, ACCESS_MS, () => file.truncate(length)),
    close: () => take(path, 0, () => file.close()),
  };
}
