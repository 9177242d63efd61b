import { assert } from "../../../src/base/assert.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Random } from "../../../src/io/random.ts";

const WORD_UNTIL = 2 ** 32;

/**
 * Repeatable randomness: sfc32 over integers, the same on every machine.
 *
 * `split` depends on the seed and the label alone, never on what was drawn: a
 * new consumer does not change what the others see.
 */
export class SimRandom implements Random {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#a = scramble(this.#seed);
    this.#b = scramble(this.#a ^ 0x9e3779b9);
    this.#c = scramble(this.#b ^ 0x243f6a88);
    for (let i = 0; i < 12; i += 1) this.word();
  }

  /** An independent source named `label`. */
  split(label: string): SimRandom {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let i = 0; i < label.length; i += 1) {
      hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    }
    return new SimRandom(scramble(hash) ^ scramble(this.#seed + 1));
  }

  /** Uniform u32. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ this.#b >>> 9;
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21 | this.#c >>> 11) + sum) | 0;
    return sum >>> 0;
  }

  bytes(length: number): Bytes {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.word();
      for (let i = 0; i < 4 && at + i < length; i += 1) {
        bytes[at + i] = word >>> 8 * i;
      }
    }
    return bytes;
  }

  below(until: number): number {
    assert(
      Number.isInteger(until) && until >= 1 && until <= WORD_UNTIL,
      "a bound is an integer of 1 to 2^32",
    );
    const fair = WORD_UNTIL - WORD_UNTIL % until;
    for (;;) {
      const word = this.word();
      if (word < fair) return word % until;
    }
  }

  /** True `times` out of `of`. */
  chance(times: number, of: number): boolean {
    return this.below(of) < times;
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** Finalizer of MurmurHash3: every input bit reaches every output bit. */
function scramble(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
