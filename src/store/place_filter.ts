import { crc32c } from "../base/crc32c.ts";
import type { RecordKey } from "../fsm/types.ts";

/**
 * Places that may have an overflow row, so that a write can leave no stale one
 * behind without reading first. Says yes too often, never no wrongly.
 */
export class PlaceFilter {
  readonly #hashes = new Set<number>();

  add(place: RecordKey): void {
    this.#hashes.add(hash(place));
  }

  mayHave(place: RecordKey): boolean {
    return this.#hashes.size > 0 && this.#hashes.has(hash(place));
  }
}

function hash({ database, key }: RecordKey): number {
  return crc32c(key, database);
}
