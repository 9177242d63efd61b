import type { Bytes } from "../base/bytes.ts";

/** Randomness: cryptographic in production, seeded in simulation. */
export interface Random {
  bytes(length: number): Bytes;
  /** Uniform integer of [0, until), 1 ≤ until ≤ 2^32. */
  below(until: number): number;
}
