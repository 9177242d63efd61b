import type { EncryptionState } from "./types.ts";

/** Why an encryption entry changes nothing. */
export type RefusalCode =
  | "not-founded"
  | "already-bootstrapped"
  | "not-bootstrapped"
  /** A key of a purpose that has no place there. */
  | "wrong-purpose"
  | "key-id-reused"
  | "unknown-key"
  | "key-active"
  | "epoch-rollback"
  | "node-collision"
  /** The keys are others than when the change was planned. */
  | "stale"
  | "too-many-keys"
  | "storage-envelope-off"
  | "state-too-large"
  /** No rewrite to pause or to go on with. */
  | "no-rewrite";

export interface EncryptionRefusal {
  readonly code: RefusalCode;
  /** What is so, for operators: a clause that names ids. */
  readonly detail: string;
}

/** What one encryption entry does, the same on every member. */
export type EncryptionDecision =
  | { readonly kind: "refused"; readonly refusal: EncryptionRefusal }
  /** `next` is the very state given when all was so already. */
  | { readonly kind: "taken"; readonly next: EncryptionState };

export function refused(code: RefusalCode, detail: string): EncryptionDecision {
  return { kind: "refused", refusal: { code, detail } };
}

export function taken(next: EncryptionState): EncryptionDecision {
  return { kind: "taken", next };
}
