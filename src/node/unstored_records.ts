import { recordId } from "../fsm/record_view.ts";
import type { Mutation, RecordKey, StoredRecord } from "../fsm/types.ts";
import type { LogIndex } from "../raft/types.ts";

interface Unstored {
  readonly index: LogIndex;
  readonly record: StoredRecord | null;
}

/** Records that were evaluated and that the store does not have yet. */
export class UnstoredRecords {
  readonly #records = new Map<string, Unstored>();

  get size(): number {
    return this.#records.size;
  }

  /** Adds what the entries up to `index` made. */
  add(index: LogIndex, mutations: readonly Mutation[]): void {
    for (const { database, key, record } of mutations) {
      this.#records.set(recordId(database, key), { index, record });
    }
  }

  /** `undefined` when the store knows better; `null` for a deleted record. */
  find({ database, key }: RecordKey): StoredRecord | null | undefined {
    return this.#records.get(recordId(database, key))?.record;
  }

  /** The store has what `add` was given; what is newer stays. */
  forget(index: LogIndex, mutations: readonly Mutation[]): void {
    for (const { database, key } of mutations) {
      const id = recordId(database, key);
      const unstored = this.#records.get(id);
      if (unstored !== undefined && unstored.index <= index) {
        this.#records.delete(id);
      }
    }
  }
}
