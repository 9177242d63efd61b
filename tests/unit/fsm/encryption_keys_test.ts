import assert from "node:assert/strict";
import { KEYS_MAX, type WrappedKey } from "../../../src/base/data_key.ts";
import {
  encodeEncryptionState,
  KEYS_BYTES_MAX,
  keysBytes,
} from "../../../src/fsm/encryption_codec.ts";
import { checkEncryptionState } from "../../../src/fsm/encryption_invariants.ts";
import type { RefusalCode } from "../../../src/fsm/encryption.ts";
import {
  decideBootstrap,
  decideRetirement,
  decideRewrap,
  decideRotation,
} from "../../../src/fsm/encryption_keys.ts";
import { RETIRED_MAX } from "../../../src/fsm/limits.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
} from "../../../src/fsm/types.ts";
import {
  BOOTSTRAP,
  crowded,
  FIRST_KEYS,
  keyOf,
  NODE_A,
  NODE_C,
  RAFT,
  register,
  retire,
  rewrap,
  rotate,
  STATE,
  stateAfter,
  STORAGE,
  wrapOf,
} from "./encryption_fixtures.ts";

const STARTED = stateAfter(BOOTSTRAP);
const ROTATED = stateAfter(BOOTSTRAP, rotate(31, "storage", STORAGE));

function decide(
  state: EncryptionState,
  change: EncryptionChange,
  index = state.stateIndex + 7,
) {
  switch (change.kind) {
    case "bootstrap":
      return decideBootstrap(state, index, change);
    case "rotate-dek":
      return decideRotation(state, index, change);
    case "rewrap-deks":
      return decideRewrap(state, index, change);
    case "retire-dek":
      return decideRetirement(state, index, change);
    default:
      throw new Error(change.kind);
  }
}

function next(
  state: EncryptionState,
  change: EncryptionChange,
  index?: number,
): EncryptionState {
  const decision = decide(state, change, index);
  assert.ok(decision.kind === "taken", JSON.stringify(decision));
  assert.equal(checkEncryptionState(decision.next), null);
  return decision.next;
}

function bootstrap(...keys: readonly WrappedKey[]): EncryptionChange {
  return { kind: "bootstrap", keys };
}
const [S, R, X] = FIRST_KEYS as [WrappedKey, WrappedKey, WrappedKey];

Deno.test("decideBootstrap() takes the three first keys in any order", () => {
  const expected: EncryptionState = {
    stateIndex: 5,
    keys: new Map([R, X, S].map((key) => [
      key.id,
      { ...key, createdIndex: 5, deactivatedIndex: 0 },
    ])),
    retired: new Set(),
    active: { storage: STORAGE, raft: RAFT },
    stateKey: STATE,
    storageCutoverIndex: 0,
    raftCutoverIndex: 0,
    cleartextLockIndex: 0,
    writers: new Map(),
  };
  for (const keys of [[S, R, X], [X, R, S], [R, X, S]]) {
    const state = next(NO_ENCRYPTION, bootstrap(...keys), 5);
    assert.deepEqual(state, expected);
    assert.deepEqual([...state.keys.keys()], [RAFT, STATE, STORAGE]);
  }
});

Deno.test("decideRotation() makes the new key active and keeps the old", () => {
  const state = next(STARTED, rotate(5, "storage", STORAGE), 9);
  const old = STARTED.keys.get(STORAGE)!;
  assert.deepEqual(state, {
    ...STARTED,
    stateIndex: 9,
    keys: new Map([
      [5, { ...keyOf(5, "storage"), createdIndex: 9, deactivatedIndex: 0 }],
      ...[RAFT, STATE].map((id) => [id, STARTED.keys.get(id)!] as const),
      [STORAGE, { ...old, deactivatedIndex: 9 }],
    ]),
    active: { storage: 5, raft: RAFT },
  });
  assert.deepEqual([...state.keys.keys()], [5, RAFT, STATE, STORAGE]);
});

Deno.test("decideRotation() of one purpose leaves the other", () => {
  const state = next(STARTED, rotate(5, "raft", RAFT));
  assert.deepEqual(state.active, { storage: STORAGE, raft: 5 });
  assert.equal(state.keys.get(STORAGE)?.deactivatedIndex, 0);
});

Deno.test("decideRotation() keeps the writers of the old key", () => {
  const state = stateAfter(BOOTSTRAP, register(NODE_A, [STORAGE, 1]));
  const { writers } = next(state, rotate(5, "storage", STORAGE));
  assert.equal(writers, state.writers);
});

Deno.test("decideRewrap() replaces wraps and nothing else", () => {
  const state = next(STARTED, rewrap(STORAGE, RAFT, STATE), 9);
  const wraps = [wrapOf("file:22", 2), wrapOf("file:11", 1)];
  assert.deepEqual(state, {
    ...STARTED,
    stateIndex: 9,
    keys: new Map(
      [...STARTED.keys].map(([id, key]) => [id, { ...key, wraps }]),
    ),
  });
  assert.deepEqual([...state.keys.keys()], [RAFT, STATE, STORAGE]);
});

Deno.test("decideRewrap() takes the keys that are not active too", () => {
  const state = next(ROTATED, rewrap(STORAGE, RAFT, STATE, 31));
  for (const { wraps } of state.keys.values()) assert.equal(wraps.length, 2);
});

Deno.test("decideRetirement() leaves a tombstone and takes the rows along", () => {
  const state = stateAfter(
    BOOTSTRAP,
    register(NODE_A, [STORAGE, 1], [RAFT, 1]),
    register(NODE_C, [STORAGE, 1]),
    rotate(5, "storage", STORAGE),
    register(NODE_C, [5, 1]),
  );
  const after = next(state, retire(STORAGE), 9);
  assert.deepEqual(after, {
    ...state,
    stateIndex: 9,
    keys: new Map([...state.keys].filter(([id]) => id !== STORAGE)),
    retired: new Set([STORAGE]),
    writers: new Map(
      [...state.writers].filter(([, { keyId }]) => keyId !== STORAGE),
    ),
  });
  assert.deepEqual([...after.writers.keys()], ["5/2", "10/1"]);
});

Deno.test("decideRetirement() keeps tombstones ascending", () => {
  const ids = [4_000_000_000, 5, 700, 31];
  let state = STARTED;
  for (const id of ids) {
    state = next(state, rotate(id, "storage", state.active.storage));
  }
  for (const id of [5, STORAGE, 4_000_000_000, 700]) {
    state = next(state, retire(id));
  }
  assert.deepEqual([...state.retired], [5, STORAGE, 700, 4_000_000_000]);
  assert.deepEqual([...state.keys.keys()], [RAFT, STATE, 31]);
});

const RETIRED_31 = stateAfter(
  BOOTSTRAP,
  rotate(31, "raft", RAFT),
  rotate(32, "raft", 31),
  retire(31),
);

const REFUSED: readonly (readonly [
  what: string,
  state: EncryptionState,
  change: EncryptionChange,
  code: RefusalCode,
])[] = [
  ["a second bootstrap", STARTED, BOOTSTRAP, "already-bootstrapped"],
  [
    "a second bootstrap of other keys",
    STARTED,
    bootstrap(keyOf(1, "storage"), keyOf(2, "raft"), keyOf(3, "state")),
    "already-bootstrapped",
  ],
  ["a bootstrap of no keys", NO_ENCRYPTION, bootstrap(), "wrong-purpose"],
  ["no state key", NO_ENCRYPTION, bootstrap(S, R), "wrong-purpose"],
  ["no raft key", NO_ENCRYPTION, bootstrap(S, X), "wrong-purpose"],
  ["no storage key", NO_ENCRYPTION, bootstrap(R, X), "wrong-purpose"],
  [
    "two storage keys and no state key",
    NO_ENCRYPTION,
    bootstrap(S, R, keyOf(1, "storage")),
    "wrong-purpose",
  ],
  [
    "a fourth first key",
    NO_ENCRYPTION,
    bootstrap(S, R, X, keyOf(1, "state")),
    "wrong-purpose",
  ],
  [
    "two first keys of one id",
    NO_ENCRYPTION,
    bootstrap(S, R, keyOf(STORAGE, "state")),
    "key-id-reused",
  ],
  ["another state key", STARTED, rotate(5, "state", STATE), "wrong-purpose"],
  [
    "a rotation planned before one",
    ROTATED,
    rotate(5, "storage", STORAGE),
    "stale",
  ],
  ["a rotation of another's key", STARTED, rotate(5, "storage", RAFT), "stale"],
  ["a rotation of no key", STARTED, rotate(5, "storage", 99), "stale"],
  [
    "a rotation to the active key",
    STARTED,
    rotate(STORAGE, "storage", STORAGE),
    "key-id-reused",
  ],
  [
    "a rotation to a raft key",
    STARTED,
    rotate(RAFT, "storage", STORAGE),
    "key-id-reused",
  ],
  [
    "a rotation to the state key",
    STARTED,
    rotate(STATE, "raft", RAFT),
    "key-id-reused",
  ],
  [
    "a rotation to an old key",
    ROTATED,
    rotate(STORAGE, "storage", 31),
    "key-id-reused",
  ],
  [
    "a rotation to a retired key",
    RETIRED_31,
    rotate(31, "raft", 32),
    "key-id-reused",
  ],
  [
    "a rotation of the other purpose to a retired key",
    RETIRED_31,
    rotate(31, "storage", STORAGE),
    "key-id-reused",
  ],
  ["a rewrap of no keys", STARTED, rewrap(), "stale"],
  ["a rewrap of some keys", STARTED, rewrap(STORAGE, RAFT), "stale"],
  [
    "a rewrap without the state key",
    ROTATED,
    rewrap(STORAGE, RAFT, 31),
    "stale",
  ],
  [
    "a rewrap planned before a rotation",
    ROTATED,
    rewrap(STORAGE, RAFT, STATE),
    "stale",
  ],
  [
    "a rewrap of one key more",
    STARTED,
    rewrap(STORAGE, RAFT, STATE, 31),
    "stale",
  ],
  [
    "a rewrap of a retired key too",
    RETIRED_31,
    rewrap(STORAGE, RAFT, STATE, 32, 31),
    "stale",
  ],
  ["to retire no key", STARTED, retire(99), "unknown-key"],
  ["to retire a key twice", RETIRED_31, retire(31), "unknown-key"],
  ["to retire the active storage key", STARTED, retire(STORAGE), "key-active"],
  ["to retire the active raft key", STARTED, retire(RAFT), "key-active"],
  ["to retire the key that became active", ROTATED, retire(31), "key-active"],
  ["to retire the state key", STARTED, retire(STATE), "wrong-purpose"],
];

for (const [what, state, change, code] of REFUSED) {
  Deno.test(`decideEncryption() refuses ${what}: ${code}`, () => {
    const decision = decide(state, change);
    assert.ok(decision.kind === "refused", "it is taken");
    assert.equal(decision.refusal.code, code, decision.refusal.detail);
    assert.match(decision.refusal.detail, /^[^.]+$/);
  });
}

Deno.test("decideBootstrap() refuses an id that was retired before", () => {
  const state = { ...NO_ENCRYPTION, retired: new Set([RAFT]) };
  const decision = decide(state, BOOTSTRAP);
  assert.ok(decision.kind === "refused");
  assert.equal(decision.refusal.code, "key-id-reused");
});

Deno.test("decideRotation() takes up to KEYS_MAX keys", () => {
  const rotation = (state: EncryptionState) =>
    decide(state, rotate(5, "storage", state.active.storage));
  assert.equal(rotation(crowded({ keys: KEYS_MAX - 1 })).kind, "taken");
  const decision = rotation(crowded({ keys: KEYS_MAX }));
  assert.ok(decision.kind === "refused");
  assert.deepEqual(decision.refusal, {
    code: "too-many-keys",
    detail: "there are 128 keys",
  });
});

Deno.test("decideRetirement() takes up to RETIRED_MAX tombstones", () => {
  const room = crowded({ keys: 4, retired: RETIRED_MAX - 1 });
  const full = crowded({ keys: 4, retired: RETIRED_MAX });
  next(room, retire(1_000));
  const decision = decide(full, retire(1_000));
  assert.ok(decision.kind === "refused");
  assert.equal(decision.refusal.code, "state-too-large");
});

/** The largest length of a wrap that `fits`; 1,024 does not. */
function largest(fits: (bytes: number) => boolean): number {
  let [from, until] = [1, 1_024];
  assert.ok(fits(from) && !fits(until));
  while (until - from > 1) {
    const middle = (from + until) >> 1;
    if (fits(middle)) from = middle;
    else until = middle;
  }
  return from;
}

/** The same eight wraps for every key, each of `bytes`. */
function rewrapAll(state: EncryptionState, bytes: number): EncryptionChange {
  const wraps = Array.from({ length: 8 }, (_, i) => ({
    kek: `kms:${i}`,
    wrapped: new Uint8Array(bytes),
  }));
  const keys = [...state.keys.keys()];
  return { kind: "rewrap-deks", wraps: new Map(keys.map((id) => [id, wraps])) };
}

Deno.test("decideRewrap() and decideRotation() fill KEYS_BYTES_MAX, no more", () => {
  const state = crowded({ keys: KEYS_MAX - 1 });
  const isRefused = (change: EncryptionChange, of = state) => {
    const decision = decide(of, change);
    if (decision.kind === "taken") return false;
    assert.equal(decision.refusal.code, "state-too-large");
    assert.match(decision.refusal.detail, /^the keys take \d+ bytes/);
    return true;
  };
  const each = largest((bytes) => !isRefused(rewrapAll(state, bytes)));
  const full = next(state, rewrapAll(state, each));
  const rotation = (bytes: number): EncryptionChange => {
    const wraps = [{ kek: "k", wrapped: new Uint8Array(bytes) }];
    const key = keyOf(5, "storage", { wraps });
    return { kind: "rotate-dek", key, replaces: full.active.storage };
  };
  const last = largest((bytes) => !isRefused(rotation(bytes), full));
  const fullest = next(full, rotation(last));
  assert.equal(keysBytes(fullest), KEYS_BYTES_MAX);
  encodeEncryptionState(fullest);
});

Deno.test("128 keys under 8 file KEKs have room", () => {
  const state = crowded({ keys: KEYS_MAX });
  const wraps = Array.from(
    { length: 8 },
    (_, i) => wrapOf(`file:${String(i).padStart(16, "0")}`),
  );
  const change: EncryptionChange = {
    kind: "rewrap-deks",
    wraps: new Map([...state.keys].map(([id]) => [id, wraps])),
  };
  assert.equal(decide(state, change).kind, "taken");
});
