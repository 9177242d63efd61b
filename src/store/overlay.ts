import { compareBytes } from "../base/bytes.ts";
import type { DatabaseNumber, Mutation, RecordKey } from "../fsm/types.ts";
import { addCost, type AtomicCost, fitsAtomic } from "./atomics.ts";
import { META_COST } from "./changes.ts";
import type { StoreState } from "./meta.ts";
import { recordName } from "./record_name.ts";

/**
 * Rows that one segment takes, larger batches apart: a read may wait for the
 * atomic that stores it, some 30 ms.
 */
const SEGMENT_ROWS_MAX = 512;

/** Batches that go to the backing store together. */
export class Segment {
  /** To be resolved when its batches are in the backing store. */
  readonly stored = Promise.withResolvers<void>();
  readonly #mutations = new Map<string, Mutation>();
  #sorted: readonly (readonly [name: string, key: RecordKey])[] = [];
  #cost: AtomicCost = META_COST;
  #state: StoreState | null = null;

  /** After the last batch; `null` before the first. */
  get state(): StoreState | null {
    return this.#state;
  }

  /** The last mutation of each key. */
  get mutations(): readonly Mutation[] {
    return [...this.#mutations.values()];
  }

  /** Bytes that it holds, at most. */
  get bytes(): number {
    return this.#cost.bytes - META_COST.bytes;
  }

  entries(): Iterable<readonly [name: string, mutation: Mutation]> {
    return this.#mutations;
  }

  hasRoom(cost: AtomicCost, rows: number): boolean {
    return this.#state === null ||
      this.#mutations.size + rows <= SEGMENT_ROWS_MAX &&
        fitsAtomic(addCost(this.#cost, cost));
  }

  add(
    state: StoreState,
    named: readonly (readonly [name: string, mutation: Mutation])[],
    cost: AtomicCost,
  ): void {
    this.#state = state;
    this.#cost = addCost(this.#cost, cost);
    for (const [name, mutation] of named) this.#mutations.set(name, mutation);
  }

  /** Calls `visit` for each key of [start, end), ascending. */
  visit(
    database: DatabaseNumber,
    range: { readonly start: Uint8Array; readonly end: Uint8Array },
    visit: (name: string, mutation: Mutation) => void,
  ): void {
    if (this.#mutations.size === 0) return;
    const sorted = this.#sort();
    let low = 0;
    let high = sorted.length;
    const start = { database, key: range.start };
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = sorted[middle]?.[1];
      if (key !== undefined && compareKeys(key, start) < 0) low = middle + 1;
      else high = middle;
    }
    const end = { database, key: range.end };
    for (let at = low; at < sorted.length; at += 1) {
      const item = sorted[at];
      if (item === undefined || compareKeys(item[1], end) >= 0) return;
      const mutation = this.#mutations.get(item[0]);
      if (mutation !== undefined) visit(item[0], mutation);
    }
  }

  /** Keys are only ever added: as many as before are the same ones. */
  #sort(): readonly (readonly [string, RecordKey])[] {
    if (this.#sorted.length !== this.#mutations.size) {
      this.#sorted = [...this.#mutations].sort((a, b) =>
        compareKeys(a[1], b[1])
      );
    }
    return this.#sorted;
  }
}

/**
 * What is visible and not yet, or only just, in the backing store.
 *
 * A reader enters, reads the backing store, asks the overlay in one step
 * without waiting, and leaves. That step's moment is the state it saw: a
 * segment stays here until every reader has left that entered before the
 * segment was in the backing store.
 */
export class Overlay {
  /** Oldest first; the last one takes batches. */
  readonly #segments: Segment[] = [new Segment()];
  /** The last mutation of each key in any segment. */
  readonly #last = new Map<string, Mutation>();
  /** Leading segments that are in the backing store, with their epoch. */
  readonly #stored: number[] = [];
  /** Readers by the epoch in which they entered; epochs ascend. */
  readonly #readers = new Map<number, number>();
  #epoch = 0;
  #bytes = 0;
  #empty: PromiseWithResolvers<void> | null = null;

  /** Bytes that are not in the backing store, at most. */
  get backlogBytes(): number {
    return this.#bytes;
  }

  /** Resolves when all batches so far are stored, whatever follows. */
  get newestStored(): Promise<void> {
    const newest = this.#segments.findLast(({ state }) => state !== null);
    return newest?.stored.promise ?? Promise.resolve();
  }

  /** Whether the oldest segment to store takes no more batches. */
  get hasFull(): boolean {
    return this.#segments.length - this.#stored.length > 1;
  }

  add(
    state: StoreState,
    mutations: readonly Mutation[],
    cost: AtomicCost,
  ): void {
    let open = this.#segments.at(-1);
    if (open === undefined || !open.hasRoom(cost, mutations.length)) {
      open = new Segment();
      this.#segments.push(open);
    }
    const named = mutations.map((mutation) =>
      [recordName(mutation), mutation] as const
    );
    open.add(state, named, cost);
    this.#bytes += cost.bytes;
    for (const [name, mutation] of named) this.#last.set(name, mutation);
  }

  /** The oldest segment to store, closed; `null` when all is stored. */
  next(): Segment | null {
    const segment = this.#segments[this.#stored.length];
    if (segment === undefined || segment.state === null) return null;
    if (segment === this.#segments.at(-1)) this.#segments.push(new Segment());
    return segment;
  }

  /** The segment that `next` gave is in the backing store. */
  stored(): void {
    this.#bytes -= this.#segments[this.#stored.length]?.bytes ?? 0;
    this.#stored.push(this.#epoch);
    this.#epoch += 1;
    this.#retire();
  }

  enter(): number {
    const epoch = this.#epoch;
    this.#readers.set(epoch, (this.#readers.get(epoch) ?? 0) + 1);
    return epoch;
  }

  leave(epoch: number): void {
    const left = (this.#readers.get(epoch) ?? 0) - 1;
    if (left > 0) this.#readers.set(epoch, left);
    else this.#readers.delete(epoch);
    this.#retire();
    if (this.#readers.size === 0) this.#empty?.resolve();
  }

  /** Resolves when nobody reads; nobody may enter any more. */
  async left(): Promise<void> {
    if (this.#readers.size === 0) return;
    this.#empty ??= Promise.withResolvers<void>();
    await this.#empty.promise;
  }

  find(key: RecordKey): Mutation | null {
    return this.#last.get(recordName(key)) ?? null;
  }

  /** The last mutation of each key of [start, end), ascending. */
  range(
    database: DatabaseNumber,
    range: { readonly start: Uint8Array; readonly end: Uint8Array },
  ): readonly Mutation[] {
    const found = new Map<string, Mutation>();
    for (const segment of this.#segments) {
      segment.visit(database, range, (name, mutation) => {
        found.set(name, mutation);
      });
    }
    return [...found.values()].sort(compareKeys);
  }

  #retire(): void {
    const [oldest = Infinity] = this.#readers.keys();
    while ((this.#stored[0] ?? Infinity) < oldest) {
      this.#stored.shift();
      for (const [name, mutation] of this.#segments.shift()?.entries() ?? []) {
        if (this.#last.get(name) === mutation) this.#last.delete(name);
      }
    }
  }
}

function compareKeys(a: RecordKey, b: RecordKey): number {
  return a.database - b.database || compareBytes(a.key, b.key);
}
