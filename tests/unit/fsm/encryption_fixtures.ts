import assert from "node:assert/strict";
import type {
  KeyId,
  KeyPurpose,
  KeyWrap,
  WrappedKey,
} from "../../../src/base/data_key.ts";
import {
  decideEncryption,
  type EncryptionRefusal,
} from "../../../src/fsm/encryption.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  type FsmState,
  NO_ENCRYPTION,
  NO_ROLLOUT,
  type WriterClaim,
} from "../../../src/fsm/types.ts";

/** Two nodes of one node16, and one of another. */
export const NODE_A = 0xaaaa_0000_0000_0001n;
export const NODE_B = 0xbbbb_0000_0000_0001n;
export const NODE_C = 0xcccc_0000_0000_0002n;

/** Ids of the keys of `BOOTSTRAP`, not in the order of their purposes. */
export const STORAGE = 30;
export const RAFT = 10;
export const STATE = 20;

export function wrapOf(kek = "file:00", wrapped = 1): KeyWrap {
  return { kek, wrapped: new Uint8Array(60).fill(wrapped) };
}

export function keyOf(
  id: KeyId,
  purpose: KeyPurpose,
  change: Partial<WrappedKey> = {},
): WrappedKey {
  return {
    id,
    purpose,
    commitment: new Uint8Array(32).fill(id),
    createdMs: 1_790_000_000_000 + id,
    wraps: [wrapOf()],
    ...change,
  };
}

export const FIRST_KEYS: readonly WrappedKey[] = [
  keyOf(STORAGE, "storage"),
  keyOf(RAFT, "raft"),
  keyOf(STATE, "state"),
];

export const BOOTSTRAP: EncryptionChange = {
  kind: "bootstrap",
  keys: FIRST_KEYS,
};

export function register(
  fullNodeId: bigint,
  ...claims: readonly (readonly [KeyId, number])[]
): EncryptionChange {
  return {
    kind: "registration",
    fullNodeId,
    claims: claims.map(([keyId, epoch]): WriterClaim => ({ keyId, epoch })),
  };
}

export function rotate(
  id: KeyId,
  purpose: KeyPurpose,
  replaces: KeyId,
): EncryptionChange {
  return { kind: "rotate-dek", key: keyOf(id, purpose), replaces };
}

export function rewrap(...ids: readonly KeyId[]): EncryptionChange {
  const wraps = [wrapOf("file:22", 2), wrapOf("file:11", 1)];
  return { kind: "rewrap-deks", wraps: new Map(ids.map((id) => [id, wraps])) };
}

export function retire(keyId: KeyId): EncryptionChange {
  return { kind: "retire-dek", keyId };
}

/** One change of every kind. */
export const EVERY_KIND: Readonly<
  Record<EncryptionChange["kind"], EncryptionChange>
> = {
  "registration": register(NODE_A, [STORAGE, 1]),
  "bootstrap": BOOTSTRAP,
  "rotate-dek": rotate(31, "storage", STORAGE),
  "rewrap-deks": rewrap(RAFT, STATE, STORAGE),
  "retire-dek": retire(STORAGE),
  "enable-storage-envelope": { kind: "enable-storage-envelope" },
  "enable-raft-envelope": { kind: "enable-raft-envelope" },
  "seal-cleartext": { kind: "seal-cleartext" },
};
export const ENABLE_STORAGE = EVERY_KIND["enable-storage-envelope"];
export const ENABLE_RAFT = EVERY_KIND["enable-raft-envelope"];
export const SEAL_CLEARTEXT = EVERY_KIND["seal-cleartext"];

export function founded(encryption: EncryptionState): FsmState {
  return {
    clockMs: 0,
    clusterId: new Uint8Array(16).fill(1),
    clusterName: "c",
    databases: new Map(),
    members: new Map(),
    encryption,
    rollout: NO_ROLLOUT,
  };
}

/** The state after `changes`, at index 1, 2 and so on; all are taken. */
export function stateAfter(
  ...changes: readonly EncryptionChange[]
): EncryptionState {
  return changes.reduce(
    (state, change, i) => takenBy(state, i + 1, change),
    NO_ENCRYPTION,
  );
}

export function takenBy(
  state: EncryptionState,
  index: number,
  change: EncryptionChange,
): EncryptionState {
  const decision = decideEncryption(founded(state), index, change);
  assert.ok(
    decision.kind === "taken",
    `${change.kind} is refused: ${JSON.stringify(decision)}`,
  );
  return decision.next;
}

export function refusalOf(
  state: EncryptionState,
  change: EncryptionChange,
): EncryptionRefusal {
  const index = state.stateIndex + 1;
  const decision = decideEncryption(founded(state), index, change);
  assert.ok(decision.kind === "refused", `${change.kind} is taken`);
  return decision.refusal;
}

/** A bootstrapped state with as many keys and retired ids as asked for. */
export function crowded(
  { keys = 3, retired = 0, wrap = wrapOf() }: {
    readonly keys?: number;
    readonly retired?: number;
    readonly wrap?: KeyWrap;
  },
): EncryptionState {
  const state = stateAfter(BOOTSTRAP);
  const [first, active] = [1_000, 1_000 + keys - 3];
  const entries = Array.from({ length: keys - 2 }, (_, i) => ({
    ...keyOf(first + i, "storage", { wraps: [wrap] }),
    createdIndex: 1,
    deactivatedIndex: first + i === active ? 0 : 2,
  }));
  return {
    ...state,
    stateIndex: 2,
    keys: new Map([
      ...[...state.keys].filter(([id]) => id !== STORAGE),
      ...entries.map((entry) => [entry.id, entry] as const),
    ]),
    retired: new Set(Array.from({ length: retired }, (_, i) => 100_000 + i)),
    active: { ...state.active, storage: active },
  };
}
