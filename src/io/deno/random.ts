import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Random } from "../random.ts";

/** Most bytes that `getRandomValues` gives in one call. */
const CALL_BYTES_MAX = 65_536;
const WORD_UNTIL = 2 ** 32;

/** Cryptographic randomness of this machine. */
export function denoRandom(): Random {
  const word = new Uint32Array(1);
  return {
    bytes(length: number): Bytes {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += CALL_BYTES_MAX) {
        crypto.getRandomValues(bytes.subarray(at, at + CALL_BYTES_MAX));
      }
      return bytes;
    },
    below(until: number): number {
      assert(
        Number.isInteger(until) && until >= 1 && until <= WORD_UNTIL,
        "a bound is an integer of 1 to 2^32",
      );
      // Words of the last, incomplete round would favour small results.
      const fair = WORD_UNTIL - WORD_UNTIL % until;
      for (;;) {
        crypto.getRandomValues(word);
        const value = word[0] as number;
        if (value < fair) return value % until;
      }
    },
  };
}
