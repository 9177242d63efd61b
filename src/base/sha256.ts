import { type Bytes, setUint64, viewOf } from "./bytes.ts";

const SHA256_BYTES = 32;
const BLOCK_BYTES = 64;
const ROUNDS = 64;

/** Fractional parts of the cube roots of the first 64 primes. */
const K = fractions(ROUNDS, 1 / 3);
/** Fractional parts of the square roots of the first 8 primes. */
const INITIAL = fractions(8, 1 / 2);

/**
 * SHA-256 of `bytes`, without a promise.
 *
 * For names of places that must be known inside a synchronous step; nothing
 * secret goes in. About 10 µs per KiB.
 *
 * Source: FIPS 180-4 §6.2.
 */
export function sha256(bytes: Uint8Array): Bytes {
  const blocks = Math.ceil((bytes.length + 9) / BLOCK_BYTES);
  const padded = new Uint8Array(blocks * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = viewOf(padded);
  setUint64(view, padded.length - 8, bytes.length * 8);
  const state = Int32Array.from(INITIAL);
  const schedule = new Int32Array(ROUNDS);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    compress(state, schedule, view, at);
  }
  const digest = new Uint8Array(SHA256_BYTES);
  const out = viewOf(digest);
  state.forEach((word, i) => out.setInt32(i * 4, word));
  return digest;
}

function compress(
  state: Int32Array,
  schedule: Int32Array,
  view: DataView,
  at: number,
): void {
  for (let i = 0; i < 16; i += 1) schedule[i] = view.getInt32(at + i * 4);
  for (let i = 16; i < ROUNDS; i += 1) {
    const w15 = word(schedule, i - 15);
    const w2 = word(schedule, i - 2);
    const s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >>> 3;
    const s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >>> 10;
    schedule[i] = word(schedule, i - 16) + s0 + word(schedule, i - 7) + s1;
  }
  let a = word(state, 0), b = word(state, 1);
  let c = word(state, 2), d = word(state, 3);
  let e = word(state, 4), f = word(state, 5);
  let g = word(state, 6), h = word(state, 7);
  for (let i = 0; i < ROUNDS; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = e & f ^ ~e & g;
    const t1 = h + s1 + choice + word(K, i) + word(schedule, i) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = a & b ^ a & c ^ b & c;
    h = g, g = f, f = e, e = d + t1 | 0;
    d = c, c = b, b = a, a = t1 + s0 + majority | 0;
  }
  state[0] = word(state, 0) + a, state[1] = word(state, 1) + b;
  state[2] = word(state, 2) + c, state[3] = word(state, 3) + d;
  state[4] = word(state, 4) + e, state[5] = word(state, 5) + f;
  state[6] = word(state, 6) + g, state[7] = word(state, 7) + h;
}

function rotate(value: number, bits: number): number {
  return value >>> bits | value << 32 - bits;
}

function word(from: Int32Array, index: number): number {
  return from[index] as number;
}

/** First 32 bits of the fractional parts of prime^power. */
function fractions(count: number, power: number): Int32Array {
  const words = new Int32Array(count);
  let found = 0;
  for (let n = 2; found < count; n += 1) {
    if (!isPrime(n)) continue;
    words[found] = Math.floor((n ** power % 1) * 2 ** 32);
    found += 1;
  }
  return words;
}

function isPrime(n: number): boolean {
  for (let factor = 2; factor * factor <= n; factor += 1) {
    if (n % factor === 0) return false;
  }
  return true;
}
