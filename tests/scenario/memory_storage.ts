import { present } from "../../src/base/assert.ts";
import { EMPTY_BYTES } from "../../src/base/bytes.ts";
import { limitSize } from "../../src/raft/entry_size.ts";
import { NO_CONFIG } from "../../src/raft/membership.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type HardState,
  type LogIndex,
  type LogMiss,
  type LogStorage,
  NO_MEMBER,
  type Snapshot,
  type SnapshotMetadata,
  type Term,
} from "../../src/raft/types.ts";

const NO_HARD_STATE: HardState = { term: 0, vote: NO_MEMBER, commit: 0 };

/** A stable log in memory, for tests. */
export class MemoryStorage implements LogStorage {
  hardState: HardState = NO_HARD_STATE;
  /** Newest checkpoint; what `snapshot()` answers. */
  checkpoint: Snapshot = snapshotOf(0, 0, NO_CONFIG);
  /** Index and term just before the first entry. */
  #before: { readonly index: LogIndex; readonly term: Term } = {
    index: 0,
    term: 0,
  };
  #entries: Entry[] = [];

  /** A log that starts from a checkpoint of `voters` at (index, term). */
  static from(metadata: Partial<SnapshotMetadata>): MemoryStorage {
    const storage = new MemoryStorage();
    const { index = 0, term = 0, confState = NO_CONFIG } = metadata;
    storage.applySnapshot(snapshotOf(index, term, confState));
    return storage;
  }

  initialState(): { hardState: HardState; confState: ConfState } {
    const { hardState, checkpoint } = this;
    return { hardState, confState: checkpoint.metadata.confState };
  }

  firstIndex(): LogIndex {
    return this.#before.index + 1;
  }

  lastIndex(): LogIndex {
    return this.#before.index + this.#entries.length;
  }

  term(index: LogIndex): Term | LogMiss {
    if (index === this.#before.index) return this.#before.term;
    if (index < this.#before.index) return "compacted";
    return this.#at(index)?.term ?? "unavailable";
  }

  entries(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): readonly Entry[] | LogMiss {
    if (from <= this.#before.index) return "compacted";
    if (until > this.lastIndex() + 1) return "unavailable";
    const { index } = this.#before;
    const page = this.#entries.slice(from - index - 1, until - index - 1);
    return limitSize(page, bytesMax);
  }

  snapshot(): Snapshot | null {
    return this.checkpoint;
  }

  /** Replaces everything at and above the first of `entries`. */
  append(entries: readonly Entry[]): void {
    const fresh = entries.filter(({ index }) => index > this.#before.index);
    const first = fresh[0]?.index;
    if (first === undefined) return;
    if (first > this.lastIndex() + 1) throw new Error(`gap before ${first}`);
    this.#entries.length = first - this.#before.index - 1;
    this.#entries.push(...fresh);
  }

  /** Starts over at `snapshot`; false when a newer one is here. */
  applySnapshot(snapshot: Snapshot): boolean {
    const { index, term } = snapshot.metadata;
    if (index < this.checkpoint.metadata.index) return false;
    this.checkpoint = snapshot;
    this.#before = { index, term };
    this.#entries = [];
    return true;
  }

  /** Forgets entries up to `index`; false when they are gone already. */
  compact(index: LogIndex): boolean {
    if (index <= this.#before.index) return false;
    const term = present(this.#at(index), "the last entry to forget").term;
    this.#entries.splice(0, index - this.#before.index);
    this.#before = { index, term };
    return true;
  }

  #at(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.#before.index - 1];
  }
}

/** A checkpoint without data. */
export function snapshotOf(
  index: LogIndex,
  term: Term,
  confState: ConfState,
): Snapshot {
  return { data: EMPTY_BYTES, metadata: { index, term, confState } };
}

/** Empty entries from `first` on, with these terms. */
export function entriesOf(
  first: LogIndex,
  ...terms: readonly Term[]
): readonly Entry[] {
  return terms.map((term, nth) => ({
    type: ENTRY_NORMAL,
    term,
    index: first + nth,
    data: EMPTY_BYTES,
  }));
}
