import { EMPTY_BYTES } from "../base/bytes.ts";
import type {
  ConfState,
  Entry,
  HardState,
  LogIndex,
  LogMiss,
  LogStorage,
  Snapshot,
  Term,
} from "../raft/types.ts";
import type { EntryCache } from "./entry_cache.ts";
import type { LogState } from "./log_state.ts";

/** Fetched runs kept for the core to read: one per lagging member or so. */
const FETCHED_RUNS_MAX = 8;

/** The durable log as the core reads it, from memory alone. */
export class WalStorage implements LogStorage {
  readonly #state: LogState;
  readonly #cache: EntryCache;
  /** Runs read back from disk, newest last. */
  #fetched: (readonly Entry[])[] = [];

  constructor(state: LogState, cache: EntryCache) {
    this.#state = state;
    this.#cache = cache;
  }

  initialState(): {
    readonly hardState: HardState;
    readonly confState: ConfState;
  } {
    const { hardState, mark } = this.#state;
    return { hardState, confState: mark.confState };
  }

  firstIndex(): LogIndex {
    return this.#state.floor.index + 1;
  }

  lastIndex(): LogIndex {
    return this.#state.lastIndex;
  }

  term(index: LogIndex): Term | LogMiss {
    const { floor } = this.#state;
    if (index === floor.index) return floor.term;
    if (index < floor.index) return "compacted";
    return this.#state.termAt(index) ?? "unavailable";
  }

  entries(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): readonly Entry[] | LogMiss {
    if (from < this.firstIndex()) return "compacted";
    if (until > this.lastIndex() + 1) return "unavailable";
    if (from >= until) return [];
    if (from >= this.#cache.from) return this.#cached(from, until, bytesMax);
    const run = this.#fetchedRun(from);
    if (run === null) return "not-cached";
    const start = from - (run[0] as Entry).index;
    return withinBytes(run.slice(start, start + until - from), bytesMax);
  }

  snapshot(): Snapshot | null {
    return { data: EMPTY_BYTES, metadata: this.#state.mark };
  }

  /** Keeps `run`, dense and read back from disk, for `entries`. */
  keepFetched(run: readonly Entry[]): void {
    if (run.length === 0) return;
    this.#fetched.push(run);
    if (this.#fetched.length > FETCHED_RUNS_MAX) this.#fetched.shift();
  }

  /** Forgets fetched runs: entries were replaced or purged. */
  dropFetched(): void {
    if (this.#fetched.length > 0) this.#fetched = [];
  }

  #cached(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): readonly Entry[] {
    let end = from;
    let bytes = 0;
    while (end < until) {
      bytes += encodedBytes(this.#cache.at(end));
      if (bytes > bytesMax && end > from) break;
      end += 1;
    }
    return this.#cache.slice(from, end);
  }

  #fetchedRun(from: LogIndex): readonly Entry[] | null {
    for (let i = this.#fetched.length - 1; i >= 0; i -= 1) {
      const run = this.#fetched[i] as readonly Entry[];
      const first = (run[0] as Entry).index;
      if (from >= first && from < first + run.length) return run;
    }
    return null;
  }
}

/** The longest prefix of `entries` within `bytesMax`, at least one. */
export function withinBytes(
  entries: readonly Entry[],
  bytesMax: number,
): readonly Entry[] {
  let bytes = 0;
  for (const [i, entry] of entries.entries()) {
    bytes += encodedBytes(entry);
    if (bytes > bytesMax && i > 0) return entries.slice(0, i);
  }
  return entries;
}

/**
 * Size of `entry` as the core budgets it: protobuf with a tag per field.
 *
 * Source: raft.md §1.4.
 */
export function encodedBytes(entry: Entry): number {
  const data = entry.data.length;
  const fixed = 2 + 1 + varintBytes(entry.term) + 1 + varintBytes(entry.index);
  return data === 0 ? fixed : fixed + 1 + varintBytes(data) + data;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let limit = 128; value >= limit; limit *= 128) bytes += 1;
  return bytes;
}
