import { assert } from "../base/assert.ts";
import { type Bytes, toHex, viewOf } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import type { Disk, DiskLock } from "../io/disk.ts";
import type { EventLog } from "../io/log.ts";
import type { Random } from "../io/random.ts";
import type {
  Entry,
  LogIndex,
  LogStorage,
  SnapshotMetadata,
} from "../raft/types.ts";
import { AnchorFile } from "./anchor.ts";
import type { PersistBatch } from "./change.ts";
import {
  WalCompactedError,
  WalExistsError,
  WalLockedError,
  WalMissingError,
  WalSegmentMissingError,
} from "./errors.ts";
import { fetchEntries } from "./fetch.ts";
import { LogView } from "./log_view.ts";
import { type WalPaths, walPaths } from "./paths.ts";
import { repairTail } from "./recovery/repair.ts";
import { scanLog, type ScannedLog } from "./recovery/scan.ts";
import { SEGMENT_BYTES, segmentHeaderFrame } from "./segment.ts";
import { listSegments, SegmentFiles } from "./segment_files.ts";
import {
  CLUSTER_ID_BYTES,
  type SegmentHeader,
  WAL_FORMAT,
} from "./segment_header.ts";
import { type WalCounters, type WritePosition, Writer } from "./writer.ts";

export type { PersistBatch } from "./change.ts";

export interface WalOptions {
  /** The log's own directory, `raft/` of a data dir; made when absent. */
  readonly dir: string;
  readonly disk: Disk;
  readonly random: Random;
  readonly log: EventLog;
  readonly nodeName: string;
  /**
   * With a clock, a batch that need not sync waits up to 100 ms for one that
   * must; without one it is written at once.
   */
  readonly clock?: Clock;
  /** Largest length of a segment; 64 MiB unless given. */
  readonly segmentBytes?: number;
}

/** What a new log starts from: everything up to `metadata` is in the store. */
export interface Founding {
  readonly metadata: SnapshotMetadata;
}

/** The parts of an open log. */
interface WalParts {
  readonly options: WalOptions;
  readonly paths: WalPaths;
  readonly lock: DiskLock;
  readonly files: SegmentFiles;
  readonly anchor: AnchorFile;
  readonly view: LogView;
  readonly walId: number;
  readonly clusterId: Uint8Array;
  readonly position: WritePosition;
  readonly tailSuspect: LogIndex | null;
}

/**
 * The raft log of one member: segments of checksummed, chained frames.
 *
 * One writer, in one process. Every promise that resolves is a promise kept
 * through a crash; after a failed write or sync all calls reject with
 * `WalWriteFailedError`, and only a new `open` tells what is durable.
 */
export class Wal {
  /** The durable log as the core reads it. */
  readonly storage: LogStorage;
  /**
   * Highest index that the write a crash tore may have held, when there was
   * one: a voter of three or more neither campaigns nor votes until the
   * cluster has passed it (raft.md §4.3).
   */
  readonly tailSuspect: LogIndex | null;
  readonly #parts: WalParts;
  readonly #writer: Writer;
  #purge: Promise<unknown> = Promise.resolve();

  private constructor(parts: WalParts) {
    const { options, view, position, ...rest } = parts;
    const { dir, nodeName, clock = null } = options;
    this.#parts = parts;
    this.storage = view.storage;
    this.tailSuspect = parts.tailSuspect;
    this.#writer = new Writer(
      { ...rest, dir, nodeName, view, clock },
      position,
    );
  }

  /** Tells whether `options.dir` holds a log, whole or not. */
  static async exists(
    { disk, dir }: Pick<WalOptions, "disk" | "dir">,
  ): Promise<boolean> {
    const paths = walPaths(dir);
    if ((await listSegments(disk, paths)).length > 0) return true;
    return disk.exists(paths.anchor);
  }

  /** Makes a log without entries. @throws {WalExistsError} */
  static async create(options: WalOptions, founding: Founding): Promise<Wal> {
    const { disk, dir } = options;
    const paths = walPaths(dir);
    await disk.makeDir(paths.segments);
    await disk.syncDir(parentOf(dir));
    await disk.syncDir(dir);
    return await lockedDuring(disk, paths, async (lock) => {
      if (await Wal.exists(options)) throw new WalExistsError(dir);
      const wal = new Wal(await createParts(options, paths, lock, founding));
      await wal.#writer.anchor(false);
      return wal;
    });
  }

  /**
   * Reads the log and makes it ready for appending, cutting a torn tail off.
   *
   * @throws {WalMissingError} When there is none.
   * @throws {WalDamagedError} For damage that may have been durable, and the
   * other errors of this folder for files that do not belong together.
   */
  static async open(options: WalOptions): Promise<Wal> {
    const { disk, dir } = options;
    const paths = walPaths(dir);
    if (!await Wal.exists(options)) throw new WalMissingError(dir);
    return await lockedDuring(disk, paths, async (lock) => {
      const wal = new Wal(await openParts(options, paths, lock));
      // Says that the shutdown is no longer clean, before anything is written.
      await wal.#writer.anchor(false);
      await wal.#purgeBelowFloor();
      return wal;
    });
  }

  /** The cluster's id, or `null` before `setClusterId`. */
  get clusterId(): Bytes | null {
    const id = this.#writer.clusterId;
    return id.some((byte) => byte !== 0) ? id.slice() : null;
  }

  get counters(): Readonly<WalCounters> {
    return this.#writer.counters;
  }

  /**
   * Makes `batch` durable; batches become durable in the order of the calls.
   *
   * Keeps the entries and their data: do not change them after.
   */
  append(batch: PersistBatch): Promise<void> {
    return this.#writer.submit({ kind: "batch", batch });
  }

  /** Names the cluster in a new segment's header. */
  setClusterId(id: Bytes): Promise<void> {
    assert(id.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
    return this.#writer.submit({ kind: "roll", clusterId: id.slice() });
  }

  /** Notes that the store is durable up to `metadata.index`. */
  async mark(metadata: SnapshotMetadata): Promise<void> {
    await this.#writer.submit({ kind: "mark", metadata });
    await this.#writer.anchor(false);
  }

  /** Forgets entries up to `until`, or up to the newest mark if that is less. */
  async compact(until: LogIndex): Promise<void> {
    await this.#writer.submit({ kind: "floor", until });
    await this.#purgeBelowFloor();
  }

  /** Lets entries up to `until`, which are applied, leave memory. */
  release(until: LogIndex): void {
    this.#parts.view.release(until);
  }

  /**
   * Reads entries of [from, until) that `storage` may not have in memory, at
   * least one and no more than `bytesMax` unless the first is larger; `storage`
   * has them afterwards. Fewer, also none, when the log ends before `until`.
   *
   * @throws {WalCompactedError} @throws {WalDamagedError}
   */
  async fetch(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): Promise<readonly Entry[]> {
    const { view, paths, files, options } = this.#parts;
    const { storage, cache, state } = view;
    const end = Math.min(until, state.lastIndex + 1);
    const held = storage.entries(from, Math.max(from, end), bytesMax);
    if (held === "compacted") {
      throw new WalCompactedError(from, storage.firstIndex());
    }
    if (held === "unavailable" || from >= end) return [];
    if (held !== "not-cached") return held;
    const { replacements } = view;
    const run = await fetchEntries(
      {
        disk: options.disk,
        dir: paths.segments,
        segments: [...files.segments],
        view,
      },
      { from, until: Math.min(end, cache.from), bytesMax },
    );
    if (view.replacements === replacements) storage.keepFetched(run);
    return run;
  }

  /**
   * Ends the log: what is queued becomes durable, then a clean shutdown is
   * noted, so that the next start can tell damage from a crash.
   */
  async close(): Promise<void> {
    const { files, anchor, lock } = this.#parts;
    try {
      if (this.#writer.failure === null) {
        await this.#writer.submitLast({ kind: "clean-shutdown" });
        await this.#writer.anchor(true);
      }
    } finally {
      await this.#purge.catch(() => {});
      await files.close();
      await anchor.close();
      await lock.release();
    }
  }

  /** Runs after the floor is durable, one at a time. */
  #purgeBelowFloor(): Promise<void> {
    const { files, view } = this.#parts;
    const purged = this.#purge.then(async () => {
      const oldest = await files.purge(view.state.floor.index);
      view.places.purge(oldest.sequence);
    });
    this.#purge = purged.catch(() => {});
    return purged;
  }
}

async function createParts(
  options: WalOptions,
  paths: WalPaths,
  lock: DiskLock,
  { metadata }: Founding,
): Promise<WalParts> {
  const { disk, random, nodeName } = options;
  const walId = viewOf(random.bytes(4)).getUint32(0);
  const { index, term } = metadata;
  const header: SegmentHeader = {
    format: WAL_FORMAT,
    clusterId: new Uint8Array(CLUSTER_ID_BYTES),
    nodeName,
    sequence: 1,
    nextIndex: index + 1,
    lastTerm: term,
    hardState: { term, vote: 0, commit: index },
    floor: { index, term },
    mark: { install: false, metadata },
  };
  const first = { frameSeq: 0, frameCrc: 0 };
  const { frame, link } = segmentHeaderFrame(header, walId, first);
  const files = new SegmentFiles(filesOptions(options, paths), []);
  await files.removeSpares();
  await files.roll(header.nextIndex, frame, 0);
  const view = new LogView(header);
  view.places.note(1, 0, header.nextIndex);
  return {
    options,
    paths,
    lock,
    files,
    anchor: await AnchorFile.open(disk, paths.dir, paths.anchor),
    view,
    walId,
    clusterId: header.clusterId,
    position: { link, offset: frame.length },
    tailSuspect: null,
  };
}

async function openParts(
  options: WalOptions,
  paths: WalPaths,
  lock: DiskLock,
): Promise<WalParts> {
  const { disk, nodeName } = options;
  const anchor = await AnchorFile.read(disk, paths.anchor);
  const segments = await listSegments(disk, paths);
  if (segments.length === 0) {
    throw new WalSegmentMissingError(paths.segments, anchor?.segment ?? 1);
  }
  await syncOnce(disk, paths, segments.map(({ name }) => name));
  const scanned = await scanLog(segments, {
    disk,
    dir: paths.segments,
    nodeName,
    anchor,
  });
  const tailSuspect = await repairedTail(options, paths, scanned, segments);
  const files = new SegmentFiles(filesOptions(options, paths), segments);
  await files.removeSpares();
  const anchorFile = await AnchorFile.open(disk, paths.dir, paths.anchor);
  await files.openCurrent();
  const { view, walId, clusterId, link, offset } = scanned;
  const position = { link, offset };
  reportOpened(options, scanned, segments.length, anchor === null);
  return {
    options,
    paths,
    lock,
    files,
    anchor: anchorFile,
    view,
    walId,
    clusterId,
    position,
    tailSuspect,
  };
}

/** What a process before this one left in the page cache becomes durable. */
async function syncOnce(
  disk: Disk,
  paths: WalPaths,
  names: readonly string[],
): Promise<void> {
  await disk.syncDir(paths.dir);
  await disk.syncDir(paths.segments);
  for (const name of names) {
    const file = await disk.open(`${paths.segments}/${name}`, "existing");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function repairedTail(
  { disk, log }: WalOptions,
  paths: WalPaths,
  { torn, view }: ScannedLog,
  segments: Parameters<typeof scanLog>[0],
): Promise<LogIndex | null> {
  const last = segments[segments.length - 1];
  if (torn === null || last === undefined) return null;
  const copy = await repairTail(disk, paths.segments, last, torn);
  const { lastIndex } = view.state;
  const tailSuspect = lastIndex + Math.max(1, torn.entriesMax);
  log.write("warn", "wal_tail_torn", {
    segment: last.name,
    offset: torn.offset,
    bytes: torn.until - torn.offset,
    copy,
    lastIndex,
    tailSuspect,
  });
  return tailSuspect;
}

function reportOpened(
  { log }: WalOptions,
  { view, walId, clusterId, link }: ScannedLog,
  segmentCount: number,
  anchorMissing: boolean,
): void {
  if (anchorMissing) log.write("warn", "wal_anchor_missing", { walId });
  log.write("info", "wal_opened", {
    walId,
    clusterId: toHex(clusterId),
    firstIndex: view.storage.firstIndex(),
    lastIndex: view.state.lastIndex,
    mark: view.state.mark.index,
    frameSeq: link.frameSeq,
    segmentCount,
  });
}

function filesOptions(options: WalOptions, paths: WalPaths) {
  const { disk, log, segmentBytes = SEGMENT_BYTES } = options;
  return { disk, log, paths, segmentBytes };
}

/** Runs `task` under the log's lock, which is let go if it fails. */
async function lockedDuring<T>(
  disk: Disk,
  paths: WalPaths,
  task: (lock: DiskLock) => Promise<T>,
): Promise<T> {
  const lock = await disk.lock(paths.lock);
  if (lock === null) throw new WalLockedError(paths.lock);
  try {
    return await task(lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function parentOf(dir: string): string {
  const end = dir.lastIndexOf("/");
  if (end === -1) return ".";
  return end === 0 ? "/" : dir.slice(0, end);
}
