import { unreachable } from "../base/assert.ts";
import {
  COMMITMENT_BYTES,
  EPOCH_MAX,
  KEK_ID_BYTES_MAX,
  KEY_ID_MAX,
  KEY_PURPOSES,
  type KeyId,
  KEYS_MAX,
  type KeyWrap,
  NO_KEY,
  WRAPPED_BYTES_MAX,
  type WrappedKey,
  WRAPS_MAX,
} from "../base/data_key.ts";
import type { EncryptionChange, WriterClaim } from "./types.ts";

/** Visible ASCII: one byte a character, and safe to print. */
const KEK_ID = /^[\x21-\x7e]+$/;
const FULL_NODE_ID_MAX = 2n ** 64n - 1n;
const KEY_ID_RULE = "a key's id must be a u32 above 0";

/**
 * The rule of its form that `change` breaks, `null` for none. What the keys
 * there are say to it is `decideEncryption`'s.
 */
export function brokenChangeRule(change: EncryptionChange): string | null {
  switch (change.kind) {
    case "registration":
      return brokenNodeRule(change.fullNodeId) ??
        brokenClaimsRule(change.claims);
    case "bootstrap":
      return change.keys.length > KEY_PURPOSES.length
        ? `there must be at most ${KEY_PURPOSES.length} first keys`
        : firstRule(change.keys.map(brokenKeyRule));
    case "rotate-dek":
      return isKeyId(change.replaces) ? brokenKeyRule(change.key) : KEY_ID_RULE;
    case "rewrap-deks":
      if (change.wraps.size > KEYS_MAX) {
        return `there must be at most ${KEYS_MAX} keys`;
      }
      if (![...change.wraps.keys()].every(isKeyId)) return KEY_ID_RULE;
      return firstRule([...change.wraps.values()].map(brokenWrapsRule));
    case "retire-dek":
      return isKeyId(change.keyId) ? null : KEY_ID_RULE;
    case "enable-storage-envelope":
    case "enable-raft-envelope":
    case "seal-cleartext":
      return null;
    default:
      return unreachable(change);
  }
}

function brokenClaimsRule(claims: readonly WriterClaim[]): string | null {
  if (claims.length === 0 || claims.length > KEYS_MAX) {
    return `a node must claim 1 to ${KEYS_MAX} keys`;
  }
  const ids = new Set<KeyId>();
  for (const { keyId, epoch } of claims) {
    if (!isKeyId(keyId)) return KEY_ID_RULE;
    if (!isEpoch(epoch)) return `an epoch must be at most ${EPOCH_MAX}`;
    if (ids.has(keyId)) return "a node must claim a key once";
    ids.add(keyId);
  }
  return null;
}

function firstRule(rules: readonly (string | null)[]): string | null {
  return rules.find((rule) => rule !== null) ?? null;
}

export function isKeyId(value: number): boolean {
  return Number.isInteger(value) && value > NO_KEY && value <= KEY_ID_MAX;
}

/** The rule that a key's wraps break, `null` for none. */
export function brokenWrapsRule(wraps: readonly KeyWrap[]): string | null {
  if (wraps.length === 0 || wraps.length > WRAPS_MAX) {
    return `a key must have 1 to ${WRAPS_MAX} wraps`;
  }
  const keks = new Set<string>();
  for (const { kek, wrapped } of wraps) {
    if (kek.length > KEK_ID_BYTES_MAX || !KEK_ID.test(kek)) {
      return `a KEK's id must be 1 to ${KEK_ID_BYTES_MAX} visible characters`;
    }
    if (wrapped.length === 0 || wrapped.length > WRAPPED_BYTES_MAX) {
      return `a wrap must have 1 to ${WRAPPED_BYTES_MAX} bytes`;
    }
    if (keks.has(kek)) return "a key must have one wrap of a KEK";
    keks.add(kek);
  }
  return null;
}

/** The rule that `key` breaks, `null` for none. */
export function brokenKeyRule(key: WrappedKey): string | null {
  if (!isKeyId(key.id)) return KEY_ID_RULE;
  if (key.commitment.length !== COMMITMENT_BYTES) {
    return `a commitment must have ${COMMITMENT_BYTES} bytes`;
  }
  if (!isNatural(key.createdMs)) return "numbers must stay below 2^53";
  return brokenWrapsRule(key.wraps);
}

/** The rule that a full node id breaks, `null` for none. */
export function brokenNodeRule(fullNodeId: bigint): string | null {
  return fullNodeId > 0n && fullNodeId <= FULL_NODE_ID_MAX
    ? null
    : "a node's id must be a u64 above 0";
}

export function isEpoch(value: number): boolean {
  return isNatural(value) && value <= EPOCH_MAX;
}

export function isNatural(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Tells whether ids rise, so that none is there twice. */
export function isAscending(ids: readonly KeyId[]): boolean {
  return ids.every((id, i) => i === 0 || id > (ids[i - 1] as KeyId));
}
