import type { Disk } from "../io/disk.ts";
import type { Entry, LogIndex } from "../raft/types.ts";
import { WalCompactedError, WalDamagedError } from "./errors.ts";
import { FrameReader } from "./frame_reader.ts";
import type { LogView } from "./log_view.ts";
import { decodeRecords, ownedEntry } from "./record.ts";
import type { Segment } from "./segment.ts";
import { encodedBytes } from "./storage.ts";

/** What a read of old entries needs. */
interface FetchOptions {
  readonly disk: Disk;
  /** Directory of the segments. */
  readonly dir: string;
  readonly segments: readonly Segment[];
  readonly view: LogView;
}

/** Entries of [from, until), both in the durable log, at least one. */
interface FetchRange {
  readonly from: LogIndex;
  readonly until: LogIndex;
  readonly bytesMax: number;
}

/**
 * Reads the longest prefix of `range` within `bytesMax` back from the
 * segments; `[]` when entries were replaced meanwhile.
 *
 * An entry on disk is the live one if its term is: an entry that replaces
 * another has a higher term, or is the same.
 *
 * @throws {WalDamagedError} @throws {WalCompactedError}
 */
export async function fetchEntries(
  options: FetchOptions,
  range: FetchRange,
): Promise<readonly Entry[]> {
  const { dir, view } = options;
  const { replacements } = view;
  const start = view.places.find(range.from);
  const found = new Collector(view, range);
  const segments = options.segments.filter((segment) =>
    segment.sequence >= (start?.segment ?? 0)
  );
  for (const segment of segments) {
    const starts = segment.sequence === start?.segment;
    const path = `${dir}/${segment.name}`;
    try {
      await collectFrom(options.disk, path, starts ? start.offset : 0, found);
    } catch (error) {
      refuseCompacted(view, range.from);
      throw error;
    }
    if (found.isFull) break;
  }
  if (view.replacements !== replacements) return [];
  refuseCompacted(view, range.from);
  if (found.isFull) return found.entries;
  throw new WalDamagedError(
    {
      segment: segments[0]?.name ?? dir,
      offset: start?.offset ?? 0,
      expectedSeq: null,
    },
    `entry ${found.next} does not read back`,
  );
}

async function collectFrom(
  disk: Disk,
  path: string,
  offset: number,
  found: Collector,
): Promise<void> {
  const file = await disk.open(path, "existing");
  try {
    const reader = new FrameReader(file, await file.size(), offset);
    while (!found.isFull) {
      const read = await reader.next();
      if (read.kind !== "frame") return;
      for (const record of decodeRecords(read.payload) ?? []) {
        if (record.kind === "entry") found.offer(record.entry);
      }
    }
  } finally {
    await file.close();
  }
}

class Collector {
  readonly entries: Entry[] = [];
  readonly #view: LogView;
  readonly #range: FetchRange;
  #bytes = 0;
  #full = false;

  constructor(view: LogView, range: FetchRange) {
    this.#view = view;
    this.#range = range;
  }

  get isFull(): boolean {
    return this.#full;
  }

  get next(): LogIndex {
    return this.#range.from + this.entries.length;
  }

  offer(entry: Entry): void {
    const { next } = this;
    if (this.#full || entry.index !== next) return;
    if (entry.term !== this.#view.state.termAt(next)) return;
    this.#bytes += encodedBytes(entry);
    if (this.#bytes > this.#range.bytesMax && this.entries.length > 0) {
      this.#full = true;
      return;
    }
    this.entries.push(ownedEntry(entry));
    this.#full = this.next === this.#range.until;
  }
}

function refuseCompacted(view: LogView, from: LogIndex): void {
  const firstIndex = view.state.floor.index + 1;
  if (from < firstIndex) throw new WalCompactedError(from, firstIndex);
}
