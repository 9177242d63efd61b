import { equalBytes, toHex } from "../../base/bytes.ts";
import type { KeyWrap, WrappedKey } from "../../base/data_key.ts";
import type { EncryptionState } from "../../fsm/types.ts";
import type { SharedKeys } from "../../keys/port.ts";
import { CutoverDivergenceError } from "./errors.ts";
import type { GuardFacts } from "./facts.ts";
import { knownOf } from "./reading.ts";

const INDEXES = {
  storageCutoverIndex: "storage cutover index",
  raftCutoverIndex: "raft cutover index",
  cleartextLockIndex: "cleartext lock index",
} as const;

/** A field in which two states differ, and what each has. */
interface Difference {
  readonly field: string;
  readonly sidecar: string;
  readonly found: string;
}

/** One part of the data dir beside the sidecar. */
interface Part {
  readonly part: string;
  /** What it has applied. */
  readonly index: number;
  readonly encryption: EncryptionState;
}

/**
 * Sidecar, store and newest checkpoint are of one history: each knows the
 * cutovers up to its own index, and at equal indexes all of it is equal.
 */
export function checkDivergence(
  facts: GuardFacts,
): CutoverDivergenceError | null {
  const sidecar = knownOf(facts.sidecar);
  if (sidecar === null) return null;
  const store = knownOf(facts.store);
  const checkpoint = knownOf(facts.checkpoint);
  const parts: Part[] = [];
  if (store !== null) {
    const { appliedIndex: index, encryption } = store;
    parts.push({ part: "the store", index, encryption });
  }
  if (checkpoint !== null) {
    const { path, index, encryption } = checkpoint;
    parts.push({ part: `the checkpoint "${path}"`, index, encryption });
  }
  for (const part of parts) {
    const difference = firstDifference(sidecar.shared, part);
    if (difference === null) continue;
    const divergence = { part: part.part, ...difference };
    return new CutoverDivergenceError(facts, divergence);
  }
  return null;
}

function firstDifference(
  shared: SharedKeys,
  { index, encryption }: Part,
): Difference | null {
  for (const [name, field] of Object.entries(INDEXES)) {
    const key = name as keyof typeof INDEXES;
    // Each counts only what both have come to: a checkpoint that was received
    // and not yet installed is ahead of the sidecar.
    const sidecar = countedUpTo(index, shared[key]);
    const found = countedUpTo(shared.stateIndex, encryption[key]);
    if (sidecar !== found) return differ(field, sidecar, found);
  }
  return shared.stateIndex === encryption.stateIndex
    ? keyDifference(shared, encryption)
    : null;
}

function countedUpTo(index: number, value: number): number {
  return value > index ? 0 : value;
}

function keyDifference(
  shared: SharedKeys,
  encryption: EncryptionState,
): Difference | null {
  const ids = [
    ["active storage key", shared.active.storage, encryption.active.storage],
    ["active raft key", shared.active.raft, encryption.active.raft],
    ["state key", shared.stateKey, encryption.stateKey],
    ["number of keys", shared.keys.size, encryption.keys.size],
  ] as const;
  for (const [field, sidecar, found] of ids) {
    if (sidecar !== found) return differ(field, sidecar, found);
  }
  for (const [id, key] of encryption.keys) {
    const own = shared.keys.get(id);
    if (own === undefined) return differ(`key ${id}`, "none", "one");
    if (own.purpose !== key.purpose) {
      return differ(`purpose of key ${id}`, own.purpose, key.purpose);
    }
    if (!equalBytes(own.commitment, key.commitment)) {
      const [a, b] = [toHex(own.commitment), toHex(key.commitment)];
      return differ(`commitment of key ${id}`, a, b);
    }
    if (!haveEqualWraps(own, key)) {
      const [a, b] = [namesOf(own.wraps), namesOf(key.wraps)];
      return differ(`wraps of key ${id}`, a, b);
    }
  }
  return null;
}

function haveEqualWraps(own: WrappedKey, other: WrappedKey): boolean {
  return own.wraps.length === other.wraps.length &&
    own.wraps.every(({ kek, wrapped }, i) => {
      const match = other.wraps[i];
      return match?.kek === kek && equalBytes(match.wrapped, wrapped);
    });
}

function namesOf(wraps: readonly KeyWrap[]): string {
  return `those of ${wraps.map(({ kek }) => kek).join(", ")}`;
}

function differ(
  field: string,
  sidecar: string | number,
  found: string | number,
): Difference {
  return { field, sidecar: String(sidecar), found: String(found) };
}
