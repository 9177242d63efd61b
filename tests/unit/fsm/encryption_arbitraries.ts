import fc from "fast-check";
import type {
  KeyId,
  KeyPurpose,
  KeyWrap,
  WrappedKey,
} from "../../../src/base/data_key.ts";
import type {
  EncryptionChange,
  EncryptionState,
  WriterClaim,
} from "../../../src/fsm/types.ts";
import {
  keyOf,
  NODE_A,
  NODE_B,
  NODE_C,
  wrapOf,
} from "./encryption_fixtures.ts";

type Arbitraries<T> = { [K in keyof T]: fc.Arbitrary<T[K]> };

function record<T>(fields: Arbitraries<T>): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

const KEY_IDS = [1, 2, 3, 4, 5, 6, 7, 8, 2 ** 32 - 1];
/** Few, so that they meet. */
const keyId: fc.Arbitrary<KeyId> = fc.constantFrom(...KEY_IDS);
const purpose = fc.constantFrom<KeyPurpose>("storage", "raft", "state");
const node = fc.constantFrom(NODE_A, NODE_A, NODE_B, NODE_C, 2n ** 64n - 1n);
const epoch = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.constantFrom(5, 127, 128, 0xffff),
);

const wraps: fc.Arbitrary<readonly KeyWrap[]> = fc.uniqueArray(
  record({
    kek: fc.constantFrom("a", "file:00", "!~", "k".repeat(512)),
    wrapped: fc.uint8Array({ minLength: 1, maxLength: 3 })
      .map((bytes) => new Uint8Array(bytes)),
  }),
  { minLength: 1, maxLength: 3, selector: ({ kek }) => kek },
);

const key: fc.Arbitrary<WrappedKey> = record({
  id: keyId,
  purpose,
  commitment: fc.nat(255).map((byte) => new Uint8Array(32).fill(byte)),
  createdMs: fc.oneof(fc.nat(200), fc.maxSafeNat()),
  wraps,
});

const claims: fc.Arbitrary<readonly WriterClaim[]> = fc.uniqueArray(
  record({ keyId, epoch }),
  { minLength: 1, maxLength: 3, selector: (claim) => claim.keyId },
).map((list) => list.sort((a, b) => a.keyId - b.keyId));

const mark: fc.Arbitrary<EncryptionChange> = record({
  kind: fc.constantFrom(
    "enable-storage-envelope" as const,
    "enable-raft-envelope" as const,
    "seal-cleartext" as const,
  ),
});

/** Any change of the right form; few fit the keys there are. */
export const encryptionChange: fc.Arbitrary<EncryptionChange> = fc.oneof(
  record({
    kind: fc.constant("registration" as const),
    fullNodeId: node,
    claims,
  }),
  record({
    kind: fc.constant("bootstrap" as const),
    keys: fc.array(key, { maxLength: 3 }),
  }),
  record({ kind: fc.constant("rotate-dek" as const), key, replaces: keyId }),
  record({
    kind: fc.constant("rewrap-deks" as const),
    wraps: fc.uniqueArray(fc.tuple(keyId, wraps), {
      maxLength: 4,
      selector: ([id]) => id,
    }).map((list) => new Map(list.sort(([a], [b]) => a - b))),
  }),
  record({ kind: fc.constant("retire-dek" as const), keyId }),
  mark,
);

/** A change that looks at the state before it is made. */
export type Wish = (state: EncryptionState) => EncryptionChange;

function pick<T>(from: readonly T[], place: number, other: T): T {
  return from.length === 0 ? other : from[place % from.length] as T;
}

const place = fc.nat(20);
const bootstrap: fc.Arbitrary<Wish> = fc.tuple(
  fc.shuffledSubarray(KEY_IDS, { minLength: 3, maxLength: 3 }),
  fc.constantFrom(1, 2, 2, 2, 2),
).map(([ids, last]) => () => ({
  kind: "bootstrap",
  keys: [
    keyOf(ids[0]!, "raft"),
    keyOf(ids[1]!, "state"),
    keyOf(ids[last]!, "storage"),
  ],
}));
const registration: fc.Arbitrary<Wish> = fc.tuple(
  node,
  fc.array(fc.tuple(place, epoch), { minLength: 1, maxLength: 3 }),
).map(([fullNodeId, places]) => (state) => {
  const sealing = [...state.keys.values()]
    .filter(({ purpose }) => purpose !== "state").map(({ id }) => id);
  const epochs = new Map(
    places.map(([at, epoch]) => [pick(sealing, at, 1), epoch]),
  );
  const claims = [...epochs].sort(([a], [b]) => a - b)
    .map(([keyId, epoch]) => ({ keyId, epoch }));
  return { kind: "registration", fullNodeId, claims };
});
const rotation: fc.Arbitrary<Wish> = fc.tuple(
  fc.constantFrom("storage" as const, "raft" as const),
  fc.oneof(keyId, fc.integer({ min: 9, max: 40 })),
).map(([purpose, id]) => ({ active }) => ({
  kind: "rotate-dek",
  key: keyOf(id, purpose),
  replaces: active[purpose] || 1,
}));
const rewrapping: fc.Arbitrary<Wish> = fc.nat(255).map((byte) => (state) => ({
  kind: "rewrap-deks",
  wraps: new Map([...state.keys].map(([id]) => [id, [wrapOf("w", byte)]])),
}));
const retirement: fc.Arbitrary<Wish> = place.map((at) => ({ keys }) => {
  const old = [...keys.values()]
    .filter(({ deactivatedIndex }) => deactivatedIndex > 0)
    .map(({ id }) => id);
  return { kind: "retire-dek", keyId: pick(old, at, 1) };
});

/** Mostly ones that are taken. */
export const wish: fc.Arbitrary<Wish> = fc.oneof(
  { weight: 3, arbitrary: bootstrap },
  { weight: 6, arbitrary: registration },
  { weight: 3, arbitrary: rotation },
  { weight: 2, arbitrary: rewrapping },
  { weight: 2, arbitrary: retirement },
  { weight: 2, arbitrary: mark.map((change): Wish => () => change) },
  {
    weight: 4,
    arbitrary: encryptionChange.map((change): Wish => () => change),
  },
);
