import { toHex, viewOf } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import type { Disk, DiskLock } from "../io/disk.ts";
import type { EventLog } from "../io/log.ts";
import type { Random } from "../io/random.ts";
import type { Entry, LogIndex, SnapshotMetadata } from "../raft/types.ts";
import { AnchorFile } from "./anchor.ts";
import { WalLockedError, WalSegmentMissingError } from "./errors.ts";
import { fetchEntries } from "./fetch.ts";
import { LogView } from "./log_view.ts";
import type { WalPaths } from "./paths.ts";
import { repairTail } from "./recovery/repair.ts";
import { scanLog, type ScannedLog } from "./recovery/scan.ts";
import { type Segment, SEGMENT_BYTES, segmentHeaderFrame } from "./segment.ts";
import { listSegments, SegmentFiles } from "./segment_files.ts";
import {
  CLUSTER_ID_BYTES,
  type SegmentHeader,
  WAL_FORMAT,
} from "./segment_header.ts";
import type { WritePosition } from "./writer.ts";

/** Bytes of entries read at a time. */
const LOAD_BYTES = 4 * 2 ** 20;

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
  /**
   * Entries up to here are applied and not read into memory by `open`; those
   * up to the newest mark are not in any case.
   */
  readonly applied?: LogIndex;
  /** Largest length of a segment; 64 MiB unless given. */
  readonly segmentBytes?: number;
}

/** What a new log starts from: everything up to `metadata` is in the store. */
export interface Founding {
  readonly metadata: SnapshotMetadata;
}

/** The parts of an open log. */
export interface WalParts {
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

/** Makes the files of a log without entries. */
export async function createParts(
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
  const anchor = await beside(files, async () => {
    await files.roll(header.nextIndex, frame, 0);
    return await AnchorFile.open(disk, paths.dir, paths.anchor);
  });
  const view = new LogView(header);
  view.places.note(1, 0, header.nextIndex);
  return {
    options,
    paths,
    lock,
    files,
    anchor,
    view,
    walId,
    clusterId: header.clusterId,
    position: { link, offset: frame.length },
    tailSuspect: null,
  };
}

/** What `open` opens; an error closes `files` first. */
async function beside<Opened>(
  files: SegmentFiles,
  open: () => Promise<Opened>,
): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    // Why it failed matters more than why something stays open.
    await files.close().catch(() => {});
    throw error;
  }
}

/** Reads the files of a log, cuts a torn tail off, opens them for appending. */
export async function openParts(
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
  await loadTail(options, paths, scanned, segments);
  const files = new SegmentFiles(filesOptions(options, paths), segments);
  await files.removeSpares();
  const anchorFile = await beside(files, async () => {
    await files.openCurrent();
    return await AnchorFile.open(disk, paths.dir, paths.anchor);
  });
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

/** Reads what the core must have in memory: what may not be applied. */
async function loadTail(
  { disk, applied = 0 }: WalOptions,
  paths: WalPaths,
  { view }: ScannedLog,
  segments: readonly Segment[],
): Promise<void> {
  const { state, cache } = view;
  view.release(Math.max(state.mark.index, applied));
  const options = { disk, dir: paths.segments, segments, view };
  const runs: Entry[][] = [];
  let from = Math.max(state.mark.index, applied) + 1;
  while (from < cache.from) {
    const range = { from, until: cache.from, bytesMax: LOAD_BYTES };
    const run = await fetchEntries(options, range);
    runs.push([...run]);
    from += run.length;
  }
  cache.prepend(runs.flat());
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
  segments: readonly Segment[],
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
export async function lockedDuring<T>(
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
