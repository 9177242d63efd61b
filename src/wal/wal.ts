import { parentOf } from "../base/path.ts";
import { assert } from "../base/assert.ts";
import { type Bytes, equalBytes } from "../base/bytes.ts";
import type {
  Entry,
  LogIndex,
  LogStorage,
  SnapshotMetadata,
} from "../raft/types.ts";
import type { PersistBatch } from "./change.ts";
import {
  WalCompactedError,
  WalExistsError,
  WalMissingError,
} from "./errors.ts";
import { fetchEntries } from "./fetch.ts";
import {
  createParts,
  type Founding,
  lockedDuring,
  openParts,
  type WalOptions,
  type WalParts,
} from "./opening.ts";
import { walPaths } from "./paths.ts";
import type { Segment } from "./segment.ts";
import { listSegments } from "./segment_files.ts";
import { CLUSTER_ID_BYTES } from "./segment_header.ts";
import { type WalCounters, Writer } from "./writer.ts";

export type { PersistBatch } from "./change.ts";
export type { Founding, WalOptions } from "./opening.ts";

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
  /** Where segments begin that hold no entry up to `index`. */
  #clean:
    | {
      readonly index: LogIndex;
      readonly sequence: number;
      readonly nextIndex: LogIndex;
    }
    | null = null;

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
      await wal.#begin();
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
      await wal.#begin();
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

  /** Names the cluster, once for ever, in a new segment's header. */
  async setClusterId(id: Bytes): Promise<void> {
    assert(id.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
    const known = this.clusterId;
    if (known !== null) {
      assert(equalBytes(known, id), "a log never changes cluster");
      return;
    }
    await this.#writer.submit({ kind: "roll", clusterId: id.slice() });
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

  /**
   * Removes every file that holds, or ever held, an entry up to `index`: whole
   * segments, and the copies of torn tails. The newest mark is at `index` or
   * above.
   *
   * `null` when that is done. Otherwise the index that the mark has to come to
   * first, for all entries of those segments to go; then call again.
   */
  async scrubBelow(index: LogIndex): Promise<LogIndex | null> {
    const { files, view } = this.#parts;
    const { state } = view;
    assert(index <= state.mark.index, "what is scrubbed is in the store");
    if (this.#clean === null || this.#clean.index < index) {
      await this.#writer.submit({ kind: "roll", clusterId: null });
      // Entries up to the mark are never replaced: none comes in here again.
      const { sequence, nextIndex } = files.current;
      this.#clean = { index, sequence, nextIndex };
    }
    const { sequence, nextIndex } = this.#clean;
    const last = nextIndex - 1;
    if (state.mark.index < last) return last;
    await this.#writer.submit({ kind: "floor", until: last });
    await this.#purgeBy(() => files.scrub(sequence));
    return null;
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
    const { lock } = this.#parts;
    try {
      if (this.#writer.failure === null) {
        await this.#writer.submitLast({ kind: "clean-shutdown" });
        await this.#writer.anchor(true);
      }
    } finally {
      await this.#closeFiles().finally(() => lock.release());
    }
  }

  async #closeFiles(): Promise<void> {
    const { files, anchor } = this.#parts;
    await this.#purge.catch(() => {});
    await files.close().finally(() => anchor.close());
  }

  /** Says that the shutdown is no longer clean, before anything is written. */
  async #begin(): Promise<void> {
    try {
      await this.#writer.anchor(false);
      await this.#purgeBelowFloor();
    } catch (error) {
      await this.#closeFiles();
      throw error;
    }
  }

  #purgeBelowFloor(): Promise<void> {
    const { files, view } = this.#parts;
    return this.#purgeBy(() => files.purge(view.state.floor.index));
  }

  /** Runs after the floor is durable, one at a time. */
  #purgeBy(purge: () => Promise<Segment>): Promise<void> {
    const { places } = this.#parts.view;
    const purged = this.#purge.then(async () => {
      const oldest = await purge();
      places.purge(oldest.sequence);
    });
    this.#purge = purged.catch(() => {});
    return purged;
  }
}
