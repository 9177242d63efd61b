import {
  KEY_PURPOSES,
  type KeyId,
  KEYS_MAX,
  NO_KEY,
  type SealingPurpose,
  type WrappedKey,
} from "../base/data_key.ts";
import { KEYS_BYTES_MAX, keysBytes } from "./encryption_codec.ts";
import {
  type EncryptionDecision,
  refused,
  taken,
} from "./encryption_decision.ts";
import { RETIRED_MAX } from "./limits.ts";
import type { EncryptionChange, EncryptionState, KeyEntry } from "./types.ts";

type ChangeOf<Kind> = Extract<EncryptionChange, { kind: Kind }>;

/** Takes the three first keys. */
export function decideBootstrap(
  state: EncryptionState,
  index: number,
  { keys }: ChangeOf<"bootstrap">,
): EncryptionDecision {
  if (state.stateKey !== NO_KEY) {
    const detail = `key ${state.stateKey} is the state key`;
    return refused("already-bootstrapped", detail);
  }
  const [storage, raft, stateKey] = KEY_PURPOSES.map((purpose) =>
    keys.find((key) => key.purpose === purpose)
  );
  if (
    storage === undefined || raft === undefined || stateKey === undefined ||
    keys.length !== KEY_PURPOSES.length
  ) {
    return refused("wrong-purpose", "there is not one key of each purpose");
  }
  const ids = new Set<KeyId>();
  for (const { id } of keys) {
    if (ids.has(id) || isUsed(state, id)) return reused(id);
    ids.add(id);
  }
  return withKeys({
    ...state,
    stateIndex: index,
    keys: inOrder(keys.map((key) => [key.id, entryOf(key, index)])),
    active: { storage: storage.id, raft: raft.id },
    stateKey: stateKey.id,
  });
}

/** Makes a new key the active one of its purpose; the old one stays. */
export function decideRotation(
  state: EncryptionState,
  index: number,
  { key, replaces }: ChangeOf<"rotate-dek">,
): EncryptionDecision {
  const { purpose } = key;
  if (purpose === "state") {
    return refused("wrong-purpose", "the state key is never another");
  }
  const active = state.active[purpose];
  if (active !== replaces) {
    const detail = `the active ${purpose} key is ${active}, not ${replaces}`;
    return refused("stale", detail);
  }
  if (isUsed(state, key.id)) return reused(key.id);
  if (state.keys.size >= KEYS_MAX) {
    return refused("too-many-keys", `there are ${state.keys.size} keys`);
  }
  const keys = [...state.keys].map(([id, entry]): [KeyId, KeyEntry] => [
    id,
    id === replaces ? { ...entry, deactivatedIndex: index } : entry,
  ]);
  return withKeys({
    ...state,
    stateIndex: index,
    keys: inOrder([...keys, [key.id, entryOf(key, index)]]),
    active: activeAfter(state, purpose, key.id),
  });
}

/** Replaces the wraps of all keys; the keys stay the same. */
export function decideRewrap(
  state: EncryptionState,
  index: number,
  { wraps }: ChangeOf<"rewrap-deks">,
): EncryptionDecision {
  const keys = new Map<KeyId, KeyEntry>();
  for (const [id, entry] of state.keys) {
    const own = wraps.get(id);
    if (own === undefined) {
      return refused("stale", `there are no wraps for key ${id}`);
    }
    keys.set(id, { ...entry, wraps: own });
  }
  for (const id of wraps.keys()) {
    if (!keys.has(id)) return refused("stale", `there is no key ${id}`);
  }
  return withKeys({ ...state, stateIndex: index, keys });
}

/** Forgets a key and its writers; its id stays refused. */
export function decideRetirement(
  state: EncryptionState,
  index: number,
  { keyId }: ChangeOf<"retire-dek">,
): EncryptionDecision {
  const key = state.keys.get(keyId);
  if (key === undefined) {
    const detail = state.retired.has(keyId)
      ? `key ${keyId} is retired already`
      : `there is no key ${keyId}`;
    return refused("unknown-key", detail);
  }
  if (key.purpose === "state") {
    return refused("wrong-purpose", `key ${keyId} is the state key`);
  }
  if (state.active[key.purpose] === keyId) {
    return refused("key-active", `key ${keyId} is the active one`);
  }
  if (state.retired.size >= RETIRED_MAX) {
    return refused("state-too-large", `there are ${RETIRED_MAX} retired keys`);
  }
  return taken({
    ...state,
    stateIndex: index,
    keys: new Map([...state.keys].filter(([id]) => id !== keyId)),
    retired: new Set([...state.retired, keyId].sort((a, b) => a - b)),
    writers: new Map(
      [...state.writers].filter(([, row]) => row.keyId !== keyId),
    ),
  });
}

function withKeys(next: EncryptionState): EncryptionDecision {
  const bytes = keysBytes(next);
  if (bytes <= KEYS_BYTES_MAX) return taken(next);
  const detail = `the keys take ${bytes} bytes (at most ${KEYS_BYTES_MAX})`;
  return refused("state-too-large", detail);
}

function isUsed(state: EncryptionState, id: KeyId): boolean {
  return state.keys.has(id) || state.retired.has(id);
}

function reused(id: KeyId): EncryptionDecision {
  return refused("key-id-reused", `${id} has been a key's id before`);
}

function entryOf(key: WrappedKey, index: number): KeyEntry {
  return { ...key, createdIndex: index, deactivatedIndex: 0 };
}

function activeAfter(
  { active }: EncryptionState,
  purpose: SealingPurpose,
  id: KeyId,
): EncryptionState["active"] {
  return purpose === "storage"
    ? { ...active, storage: id }
    : { ...active, raft: id };
}

function inOrder(
  keys: readonly (readonly [KeyId, KeyEntry])[],
): ReadonlyMap<KeyId, KeyEntry> {
  return new Map(keys.toSorted(([a], [b]) => a - b));
}
