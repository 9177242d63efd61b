import type { Bytes } from "../../../src/base/bytes.ts";

/**
 * Fast seeded randomness: xorshift128, seeded by what names one input, so that
 * any input can be made again without those before it.
 *
 * Source: Marsaglia, "Xorshift RNGs" (2003) §4.
 */
export class Rng {
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  constructor(...seeds: readonly number[]) {
    let state = 0x9e3779b9;
    for (const seed of seeds) state = mix(state ^ mix(seed));
    const next = () => (state = mix(state + 0x6d2b79f5));
    this.#x = next();
    this.#y = next();
    this.#z = next();
    this.#w = next() | 1;
  }

  u32(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8);
    return this.#w >>> 0;
  }

  /** An integer of [0, until), 1 ≤ until ≤ 2^32. */
  below(until: number): number {
    return Math.floor(this.u32() / 2 ** 32 * until);
  }

  /** True once in `of` times. */
  once(of: number): boolean {
    return this.below(of) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Bytes {
    const words = new Uint32Array((length + 3) >> 2);
    for (let i = 0; i < words.length; i += 1) words[i] = this.u32();
    return new Uint8Array(words.buffer, 0, length);
  }
}

/** Tells names apart. Source: FNV-1a, 32 bits. */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** Source: the finalizer of MurmurHash3. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
