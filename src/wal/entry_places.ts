import type { LogIndex } from "../raft/types.ts";

/** Frames between two remembered places are read when one is looked for. */
const SPACING_BYTES = 64 * 2 ** 10;

/** Where in the files to start reading. */
interface EntryPlace {
  readonly segment: number;
  readonly offset: number;
  /** Entries from here on were written at this place or behind it. */
  readonly nextIndex: LogIndex;
}

/**
 * Where entries lie on disk, one place per 64 KiB of log: a thousand per
 * segment, however small the entries are.
 *
 * Places ascend in `nextIndex` and in position.
 */
export class EntryPlaces {
  readonly #places: EntryPlace[] = [];

  /** Remembers a frame whose least entry index is `nextIndex`, if it pays. */
  note(segment: number, offset: number, nextIndex: LogIndex): void {
    const places = this.#places;
    let newest = places[places.length - 1];
    let replaced = false;
    // Entries from `nextIndex` on that lie before this frame are dead.
    while (newest !== undefined && newest.nextIndex >= nextIndex) {
      places.pop();
      newest = places[places.length - 1];
      replaced = true;
    }
    const near = newest !== undefined && newest.segment === segment &&
      offset - newest.offset < SPACING_BYTES;
    if (replaced || !near) places.push({ segment, offset, nextIndex });
  }

  /** Drops the places in segments below `segment`. */
  purge(segment: number): void {
    let keep = 0;
    while ((this.#places[keep]?.segment ?? segment) < segment) keep += 1;
    this.#places.splice(0, keep);
  }

  /** Where to start reading for entry `index`; `null` when it is before all. */
  find(index: LogIndex): EntryPlace | null {
    let low = -1;
    let high = this.#places.length;
    // Invariant: places[low].nextIndex <= index < places[high].nextIndex.
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const place = this.#places[middle];
      if (place !== undefined && place.nextIndex <= index) low = middle;
      else high = middle;
    }
    return this.#places[low] ?? null;
  }
}
