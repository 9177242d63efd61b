import { assert } from "../base/assert.ts";
import type { Entry, LogIndex } from "../raft/types.ts";

/** Released entries stay up to this many bytes, for members that lag a bit. */
const RELEASED_BYTES_MAX = 8 * 2 ** 20;
/** What an entry costs beside its data. */
const ENTRY_OVERHEAD_BYTES = 100;

/**
 * The newest entries of the log, dense and in order.
 *
 * Entries above the released index always stay.
 */
export class EntryCache {
  #entries: Entry[] = [];
  /** Entries before this position are dropped; cut off now and then. */
  #head = 0;
  #bytes = 0;
  #next: LogIndex;
  #released: LogIndex;
  readonly #releasedBytesMax: number;

  /** Empty; the first entry will be `next`. */
  constructor(next: LogIndex, releasedBytesMax = RELEASED_BYTES_MAX) {
    this.#next = next;
    this.#released = next - 1;
    this.#releasedBytesMax = releasedBytesMax;
  }

  /** Index of the oldest entry held; the next one's when it is empty. */
  get from(): LogIndex {
    return this.#next - (this.#entries.length - this.#head);
  }

  /** Index behind the newest entry. */
  get until(): LogIndex {
    return this.#next;
  }

  /** Adds the next entry, or replaces everything from its index on. */
  append(entry: Entry): void {
    if (entry.index < this.#next) this.#truncate(entry.index);
    assert(entry.index === this.#next, "cached entries are dense");
    this.#entries.push(entry);
    this.#next = entry.index + 1;
    this.#bytes += costOf(entry);
  }

  /** Forgets everything; the next entry will be `next`. */
  restart(next: LogIndex): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#next = next;
    this.#released = Math.max(this.#released, next - 1);
  }

  /** Entries up to `until` may go. */
  release(until: LogIndex): void {
    this.#released = Math.max(this.#released, until);
    while (this.#bytes > this.#releasedBytesMax) {
      const oldest = this.#entries[this.#head];
      if (oldest === undefined || oldest.index > this.#released) break;
      this.#bytes -= costOf(oldest);
      this.#head += 1;
    }
    this.#cut();
  }

  /** Drops the oldest entries, released or not, down to `bytesMax`. */
  bound(bytesMax: number): void {
    while (this.#bytes > bytesMax && this.#head < this.#entries.length) {
      this.#bytes -= costOf(this.#entries[this.#head] as Entry);
      this.#head += 1;
    }
    this.#cut();
  }

  /** Puts `entries`, which end where the cache starts, before the others. */
  prepend(entries: readonly Entry[]): void {
    const last = entries[entries.length - 1];
    if (last === undefined) return;
    assert(last.index === this.from - 1, "prepended entries are dense");
    this.#entries = [...entries, ...this.#entries.slice(this.#head)];
    this.#head = 0;
    for (const entry of entries) this.#bytes += costOf(entry);
  }

  /** Entries up to `until` must go. */
  forget(until: LogIndex): void {
    while ((this.#entries[this.#head]?.index ?? Infinity) <= until) {
      this.#bytes -= costOf(this.#entries[this.#head] as Entry);
      this.#head += 1;
    }
    this.#cut();
  }

  /** The entry at `index`, which is in [from, until). */
  at(index: LogIndex): Entry {
    const entry = this.#entries[this.#head + index - this.from];
    assert(entry !== undefined, "the cache holds what it says");
    return entry;
  }

  /** Entries of [from, until), which the cache holds. */
  slice(from: LogIndex, until: LogIndex): readonly Entry[] {
    const start = this.#head - this.from;
    return this.#entries.slice(start + from, start + until);
  }

  #truncate(from: LogIndex): void {
    while (this.#next > from && this.#entries.length > this.#head) {
      const newest = this.#entries.pop() as Entry;
      this.#bytes -= costOf(newest);
      this.#next -= 1;
    }
    this.#next = from;
  }

  #cut(): void {
    if (this.#head < 1024 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

function costOf(entry: Entry): number {
  return ENTRY_OVERHEAD_BYTES + entry.data.length;
}
