import { RecordOverlay, type RecordView } from "../fsm/record_view.ts";
import type { Mutation, RecordKey, StoredRecord } from "../fsm/types.ts";

/**
 * Records as one group of entries sees them: what was there before the group,
 * under what earlier entries of the group have changed.
 *
 * A key that was not set belongs to a database that did not exist before the
 * group, so only the group itself can have written it.
 */
export class GroupView implements RecordView {
  readonly #records = new RecordOverlay();
  /** Not yet in `#records`: most groups are plain sets, and nobody looks. */
  #unindexed: (readonly Mutation[])[] = [];

  /** Says what was there before the group. */
  set(key: RecordKey, record: StoredRecord | null): void {
    this.#records.put(key, record);
  }

  get(key: RecordKey): StoredRecord | null {
    for (const mutations of this.#unindexed) {
      for (const mutation of mutations) this.set(mutation, mutation.record);
    }
    this.#unindexed = [];
    return this.#records.get(key);
  }

  /** Shows `mutations` to the entries after. */
  put(mutations: readonly Mutation[]): void {
    this.#unindexed.push(mutations);
  }
}
