import { compareBytes } from "../base/bytes.ts";
import type { DatabaseNumber, Mutation, RecordKey } from "../fsm/types.ts";
import { addCost, type AtomicCost, fitsAtomic, NO_COST } from "./atomics.ts";
import type { StoreState } from "./meta.ts";

/** Batches that go to the backing store together. */
export class Segment {
  readonly #mutations = new Map<string, Mutation>();
  #sorted: readonly (readonly [name: string, key: RecordKey])[] = [];
  #cost: AtomicCost = NO_COST;
  #state: StoreState | null = null;

  /** After the last batch; `null` before the first. */
  get state(): StoreState | null {
    return this.#state;
  }

  /** The last mutation of each key. */
  get mutations(): readonly Mutation[] {
    return [...this.#mutations.values()];
  }

  hasRoom(cost: AtomicCost): boolean {
    return this.#state === null || fitsAtomic(addCost(this.#cost, cost));
  }

  add(
    state: StoreState,
    mutations: readonly Mutation[],
    cost: AtomicCost,
  ): void {
    this.#state = state;
    this.#cost = addCost(this.#cost, cost);
    for (const mutation of mutations) {
      this.#mutations.set(nameOf(mutation), mutation);
    }
  }

  find(name: string): Mutation | null {
    return this.#mutations.get(name) ?? null;
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
      const mutation = this.find(item[0]);
      if (mutation !== null) visit(item[0], mutation);
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
  /** Leading segments that are in the backing store, with their epoch. */
  readonly #stored: number[] = [];
  /** Readers by the epoch in which they entered; epochs ascend. */
  readonly #readers = new Map<number, number>();
  #epoch = 0;

  /** Segments that are not in the backing store, the open one included. */
  get backlog(): number {
    return this.#segments.length - this.#stored.length;
  }

  add(
    state: StoreState,
    mutations: readonly Mutation[],
    cost: AtomicCost,
  ): void {
    let open = this.#segments.at(-1);
    if (open === undefined || !open.hasRoom(cost)) {
      open = new Segment();
      this.#segments.push(open);
    }
    open.add(state, mutations, cost);
  }

  /** The oldest segment to store, closed; `null` when all is stored. */
  next(): Segment | null {
    const segment = this.#segments[this.#stored.length];
    if (segment === undefined || segment.state === null) return null;
    if (this.backlog === 1) this.#segments.push(new Segment());
    return segment;
  }

  /** The segment that `next` gave is in the backing store. */
  stored(): void {
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
  }

  find(key: RecordKey): Mutation | null {
    const name = nameOf(key);
    for (let at = this.#segments.length - 1; at >= 0; at -= 1) {
      const found = this.#segments[at]?.find(name);
      if (found) return found;
    }
    return null;
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
      this.#segments.shift();
    }
  }
}

function compareKeys(a: RecordKey, b: RecordKey): number {
  return a.database - b.database || compareBytes(a.key, b.key);
}

/** One character for each byte, another for every byte. */
const latin1 = new TextDecoder("latin1");

function nameOf({ database, key }: RecordKey): string {
  return `${database} ${latin1.decode(key)}`;
}
