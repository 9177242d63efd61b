import { assert } from "../base/assert.ts";
import type { DatabaseNumber, RecordKey, StoredRecord } from "./types.ts";

/** The records that a payload's checks and sums look at. */
export interface RecordView {
  /** Returns a key's record, also an expired one; `null` for none. */
  get(key: RecordKey): StoredRecord | null;
}

/** Names a record among all databases, for maps; keys of a few KiB at most. */
export function recordId(database: DatabaseNumber, key: Uint8Array): string {
  // One UTF-16 unit for the number, then one for each byte.
  return String.fromCharCode(database) +
    Reflect.apply(String.fromCharCode, null, key);
}

/**
 * Prefetched records under the mutations made since: what the store will say
 * when they are committed.
 */
export class RecordOverlay implements RecordView {
  readonly #records = new Map<string, StoredRecord | null>();

  /** `records[i]` is what the store has at `keys[i]`. */
  prefetch(
    keys: readonly RecordKey[],
    records: readonly (StoredRecord | null)[],
  ): void {
    assert(keys.length === records.length, "each key has its answer");
    keys.forEach((key, i) => this.put(key, records[i] ?? null));
  }

  /** Replaces a key's record; `null` deletes it. */
  put({ database, key }: RecordKey, record: StoredRecord | null): void {
    this.#records.set(recordId(database, key), record);
  }

  /** Returns `undefined` for a key that was neither prefetched nor put. */
  find({ database, key }: RecordKey): StoredRecord | null | undefined {
    return this.#records.get(recordId(database, key));
  }

  get(key: RecordKey): StoredRecord | null {
    return this.find(key) ?? null;
  }

  clear(): void {
    this.#records.clear();
  }
}
