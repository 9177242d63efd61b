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

/** What mutations made of records, before the store has them. */
export class RecordOverlay implements RecordView {
  readonly #records = new Map<string, StoredRecord | null>();

  /** Replaces a key's record; `null` deletes it. */
  put({ database, key }: RecordKey, record: StoredRecord | null): void {
    this.#records.set(recordId(database, key), record);
  }

  /** Returns `undefined` for a key that was never put. */
  find({ database, key }: RecordKey): StoredRecord | null | undefined {
    return this.#records.get(recordId(database, key));
  }

  get(key: RecordKey): StoredRecord | null {
    return this.find(key) ?? null;
  }
}
