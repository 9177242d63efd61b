import { assert } from "../base/assert.ts";
import type { Disk, DiskFile } from "../io/disk.ts";
import type { EventLog } from "../io/log.ts";
import type { LogIndex } from "../raft/types.ts";
import type { WalPaths } from "./paths.ts";
import {
  isSpareName,
  isTornName,
  parseSegmentName,
  type Segment,
  segmentCapacity,
  segmentName,
} from "./segment.ts";
import { fillSpare, type Spare } from "./spare.ts";

/** What the files of a log are made with. */
interface SegmentFilesOptions {
  readonly disk: Disk;
  readonly log: EventLog;
  readonly paths: WalPaths;
  /** Largest length of a segment, unless one frame needs more. */
  readonly segmentBytes: number;
}

/** Names of the segments in `paths`, in order; `[]` when there is no log. */
export async function listSegments(
  disk: Disk,
  paths: WalPaths,
): Promise<Segment[]> {
  if (!await disk.exists(paths.segments)) return [];
  const segments: Segment[] = [];
  for (const { name } of await disk.list(paths.segments)) {
    const segment = parseSegmentName(name);
    if (segment !== null) segments.push(segment);
  }
  return segments.sort((a, b) => a.sequence - b.sequence);
}

/** The segments as files: the open one, the next one, and those to purge. */
export class SegmentFiles {
  readonly #options: SegmentFilesOptions;
  #segments: Segment[];
  #file: DiskFile | null = null;
  #capacity = 0;
  #spare: Promise<Spare | null> | null = null;
  #stopped = false;

  constructor(options: SegmentFilesOptions, segments: readonly Segment[]) {
    this.#options = options;
    this.#segments = [...segments];
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** The segment that is written. */
  get current(): Segment {
    const last = this.#segments[this.#segments.length - 1];
    assert(last !== undefined, "an open log has a segment");
    return last;
  }

  get file(): DiskFile {
    assert(this.#file !== null, "the current segment is open");
    return this.#file;
  }

  /** Length of the current segment in bytes. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Opens the last segment for appending and starts on a spare. */
  async openCurrent(): Promise<void> {
    const { disk, paths } = this.#options;
    const path = `${paths.segments}/${this.current.name}`;
    this.#file = await disk.open(path, "existing");
    this.#capacity = await this.#file.size();
    this.#prepareSpare();
  }

  /** Removes prepared files that a crash left: they are never reused. */
  async removeSpares(): Promise<void> {
    const { disk, paths } = this.#options;
    for (const { name } of await disk.list(paths.segments)) {
      if (isSpareName(name)) await disk.remove(`${paths.segments}/${name}`);
    }
  }

  /**
   * Makes the next segment the current one: header frame written and synced,
   * then the name, then the directory. `room` is what it must hold at least.
   */
  async roll(
    nextIndex: LogIndex,
    frame: Uint8Array,
    room: number,
  ): Promise<void> {
    const { disk, paths } = this.#options;
    const sequence = (this.#segments.at(-1)?.sequence ?? 0) + 1;
    const spare = await this.#takeSpare(sequence, frame.length + room);
    const file = await disk.open(spare.path, "existing");
    try {
      await file.writeAndSync(0, frame);
    } finally {
      await file.close();
    }
    const name = segmentName(sequence, nextIndex);
    await disk.rename(spare.path, `${paths.segments}/${name}`);
    await disk.syncDir(paths.segments);
    await this.#file?.close();
    this.#file = null;
    this.#segments.push({ sequence, name, nextIndex });
    await this.openCurrent();
  }

  /**
   * Removes the oldest segments whose entries are all at or below `floor`,
   * which is durable. Returns the first segment that is left.
   */
  async purge(floor: LogIndex): Promise<Segment> {
    return await this.#removeOldest((next) => next.nextIndex - 1 <= floor);
  }

  /**
   * Removes all segments before `sequence`, whose live entries the log has
   * forgotten durably, and the copies of torn tails. Returns as `purge`.
   */
  async scrub(sequence: number): Promise<Segment> {
    const { disk, paths } = this.#options;
    for (const { name } of await disk.list(paths.segments)) {
      if (isTornName(name)) await disk.remove(`${paths.segments}/${name}`);
    }
    const oldest = await this.#removeOldest((next) =>
      next.sequence <= sequence
    );
    await disk.syncDir(paths.segments);
    return oldest;
  }

  /** Removes the oldest segment as long as the one after it may be first. */
  async #removeOldest(
    mayBeFirst: (next: Segment) => boolean,
  ): Promise<Segment> {
    const { disk, paths } = this.#options;
    let removed = 0;
    for (;;) {
      const [oldest, next] = this.#segments;
      if (oldest === undefined || next === undefined) break;
      if (!mayBeFirst(next)) break;
      await disk.remove(`${paths.segments}/${oldest.name}`);
      this.#segments.shift();
      removed += 1;
    }
    if (removed > 0) await disk.syncDir(paths.segments);
    return this.#segments[0] as Segment;
  }

  /** Waits for the spare in the making and closes the current segment. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#spare;
    await this.#file?.close();
    this.#file = null;
    await this.removeSpares();
  }

  async #takeSpare(sequence: number, room: number): Promise<Spare> {
    const { disk, segmentBytes, paths } = this.#options;
    const spare = await this.#spare;
    this.#spare = null;
    if (spare && spare.bytes >= room) return spare;
    const bytes = Math.max(room, segmentCapacity(sequence, segmentBytes));
    const path = `${paths.segments}/next-1.tmp`;
    const fresh = await fillSpare(disk, path, bytes);
    assert(fresh !== null, "nothing stops this one");
    return fresh;
  }

  /** Makes the next segment while this one fills. */
  #prepareSpare(): void {
    const { disk, log, segmentBytes, paths } = this.#options;
    const bytes = segmentCapacity(this.current.sequence + 1, segmentBytes);
    const path = `${paths.segments}/next-0.tmp`;
    const filling = fillSpare(disk, path, bytes, () => this.#stopped);
    // A failure is met again, and then not forgiven, when the spare is needed.
    this.#spare = filling.catch((error) => {
      log.write("warn", "wal_spare_failed", { path, error: String(error) });
      return null;
    });
  }
}
