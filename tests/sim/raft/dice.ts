/**
 * Seeded randomness for simulations: sfc32, 32-bit integers only, the same on
 * every machine.
 *
 * Each use splits off its own dice by a label, so that one more draw in one
 * place does not change what happens in another.
 */
export class Dice {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#seed = seed;
    this.#a = hashText(`${seed}/a`);
    this.#b = hashText(`${seed}/b`);
    this.#c = hashText(`${seed}/c`);
    for (let i = 0; i < 12; i += 1) this.u32();
  }

  split(label: string): Dice {
    return new Dice(`${this.#seed}/${label}`);
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From [0, count). */
  below(count: number): number {
    return Math.floor(this.u32() / 2 ** 32 * count);
  }

  /** From [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.u32() < probability * 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  /** Mostly below `mean`, at times far above. */
  exponential(mean: number): number {
    return -Math.log(1 - this.u32() / 2 ** 32) * mean;
  }
}

/** FNV-1a with a final mix. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix(hash);
}

/** Folds `value` into a running hash. */
export function foldHash(hash: number, value: number): number {
  return mix(Math.imul(hash, 31) ^ value);
}

export function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return mix(hash ^ bytes.length);
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
