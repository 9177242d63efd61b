import type { Dice } from "../../raft/dice.ts";
import type { CryptoPace } from "../../io/subtle.ts";
import { kindOf, type SealKind } from "../encryption/nonce_ledger.ts";
import { Life } from "../life.ts";

/** What nodes seal and open as they go; wraps are the provider's. */
const SLOW: readonly SealKind[] = ["record", "entry", "checkpoint"];

/**
 * Seals and opens take time, `meanMs` each, and end in any order: whatever a
 * node decided before one may be another thing after it.
 */
export function slowCrypto(dice: Dice, meanMs: number): CryptoPace {
  return (aad) => {
    const life = Life.current;
    if (meanMs === 0 || life === null || !SLOW.includes(kindOf(aad))) {
      return null;
    }
    return life.wait(dice.exponential(meanMs));
  };
}
