import { assert } from "../base/assert.ts";
import type { LogIndex } from "./types.ts";

/** How much may be on its way to one member before sending pauses. */
export interface InflightLimits {
  /** Append messages, ≥ 0. */
  readonly countMax: number;
  /** Bytes of entry data; 0 is no limit. Soft: the message that crosses goes. */
  readonly bytesMax: number;
}

const CAPACITY_MIN = 8;

/**
 * The append messages that one member has not acknowledged yet, oldest first:
 * a ring of (last index, bytes) that grows up to `countMax`.
 */
export class Inflights {
  readonly #limits: InflightLimits;
  #lastIndexes: number[] = [];
  #sizes: number[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  /** Messages on their way. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of entry data on their way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Tells whether another message has to wait. */
  isFull(): boolean {
    const { countMax, bytesMax } = this.#limits;
    return this.#count >= countMax ||
      (bytesMax !== 0 && this.#bytes >= bytesMax);
  }

  /** Notes a message that ends with `lastIndex`, which ascends call by call. */
  add(lastIndex: LogIndex, bytes: number): void {
    assert(!this.isFull(), "a message is only sent while there is room");
    if (this.#count === this.#lastIndexes.length) this.#grow();
    const at = (this.#start + this.#count) % this.#lastIndexes.length;
    this.#lastIndexes[at] = lastIndex;
    this.#sizes[at] = bytes;
    this.#count += 1;
    this.#bytes += bytes;
  }

  /** Forgets every message that ends at or before `index`. */
  freeUpTo(index: LogIndex): void {
    while (this.#count > 0) {
      if ((this.#lastIndexes[this.#start] ?? 0) > index) return;
      this.#bytes -= this.#sizes[this.#start] ?? 0;
      this.#start = (this.#start + 1) % this.#lastIndexes.length;
      this.#count -= 1;
    }
  }

  /** Forgets all. */
  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const capacity = this.#lastIndexes.length;
    const lastIndexes: number[] = [];
    const sizes: number[] = [];
    for (let i = 0; i < this.#count; i += 1) {
      const at = (this.#start + i) % capacity;
      lastIndexes.push(this.#lastIndexes[at] ?? 0);
      sizes.push(this.#sizes[at] ?? 0);
    }
    const grown = Math.max(CAPACITY_MIN, capacity * 2);
    while (lastIndexes.length < grown) {
      lastIndexes.push(0);
      sizes.push(0);
    }
    this.#lastIndexes = lastIndexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}
