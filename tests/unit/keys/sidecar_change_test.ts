import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import {
  EpochExhaustedError,
  KeyConflictError,
  KeyUnknownError,
} from "../../../src/keys/errors.ts";
import type { SharedKeys } from "../../../src/keys/port.ts";
import {
  absorbShared,
  raiseEpochs,
  takeEpoch,
} from "../../../src/keys/sidecar_change.ts";
import {
  CLUSTER_ID,
  sampleContent,
  sampleKey,
  sampleShared,
} from "./sample_keys.ts";

const STORAGE = 305419896;
const RAFT = 2596069104;
const BEFORE = sampleContent();
const unregistered = (_: number) => 0;

function brought(shared: SharedKeys, ownLastEpoch = unregistered) {
  return { node: "n1", clusterId: CLUSTER_ID, shared, ownLastEpoch };
}

function epochsOf(shared: SharedKeys, registered: Record<number, number> = {}) {
  const ownLastEpoch = (id: number) => registered[id] ?? 0;
  const after = absorbShared(BEFORE, { ...brought(shared), ownLastEpoch });
  return Object.fromEntries(after?.epochs ?? []);
}

/** One key more than the sample, active for storage. */
function rotated(index: number): SharedKeys {
  const shared = sampleShared({ stateIndex: index });
  const keys = new Map(shared.keys).set(9, sampleKey(9, "storage"));
  return { ...shared, keys, active: { ...shared.active, storage: 9 } };
}

Deno.test("absorbShared() starts every key above the registry", () => {
  const registered: Record<number, number> = { [STORAGE]: 41, 77: 0xfffe };
  const ownLastEpoch = (id: number) => registered[id] ?? 0;
  const after = absorbShared(null, {
    ...brought(sampleShared()),
    ownLastEpoch,
  });
  assert.deepEqual(
    after,
    sampleContent({
      epochs: new Map([[77, 0xffff], [STORAGE, 42], [RAFT, 1]]),
    }),
  );
});

Deno.test("absorbShared() keeps epochs that are there", () => {
  assert.deepEqual(
    epochsOf(rotated(184274), { [STORAGE]: 500, [RAFT]: 1, 9: 3 }),
    { 77: 1, [STORAGE]: 7, [RAFT]: 0xffff, 9: 4 },
  );
});

Deno.test("absorbShared() forgets keys that are gone", () => {
  const shared = rotated(184274);
  const keys = new Map(shared.keys);
  keys.delete(STORAGE);
  assert.deepEqual(epochsOf({ ...shared, keys }), {
    77: 1,
    [RAFT]: 0xffff,
    9: 1,
  });
});

Deno.test("absorbShared() takes over cutovers, active ids and wraps", () => {
  const shared = sampleShared({
    stateIndex: 184274,
    raftCutoverIndex: 184274,
    cleartextLockIndex: 184270,
  });
  const after = absorbShared(BEFORE, brought(shared));
  assert.deepEqual(after?.shared, shared);
  assert.deepEqual(after?.epochs, BEFORE.epochs);
});

Deno.test("absorbShared() gives the same for the same", () => {
  const after = absorbShared(BEFORE, brought(sampleShared()));
  assert.deepEqual(after, BEFORE);
});

Deno.test("absorbShared() stays where an older state comes", () => {
  const older: SharedKeys[] = [
    sampleShared({ stateIndex: 184272, raftCutoverIndex: 0 }),
    sampleShared({ stateIndex: 1, storageCutoverIndex: 0 }),
    // A key that was retired since.
    rotated(184272),
  ];
  for (const shared of older) {
    assert.equal(absorbShared(BEFORE, brought(shared)), BEFORE);
  }
});

Deno.test("absorbShared() makes no sidecar without keys", () => {
  const none = sampleShared({ stateIndex: 0, keys: new Map() });
  assert.equal(absorbShared(null, brought(none)), null);
  assert.equal(absorbShared(BEFORE, brought(none)), BEFORE);
});

Deno.test("absorbShared() refuses an id with another key", () => {
  for (const stateIndex of [1, 184273, 184274]) {
    const others = [
      [
        sampleKey(77, "state", { commitment: new Uint8Array(32) }),
        "commitment",
      ],
      [sampleKey(77, "raft"), "purpose"],
    ] as const;
    for (const [key, field] of others) {
      const keys = new Map(sampleShared().keys).set(77, key);
      const shared = sampleShared({ stateIndex, keys });
      assert.throws(
        () => absorbShared(BEFORE, brought(shared)),
        (error) =>
          error instanceof KeyConflictError && error.keyId === 77 &&
          error.field === field,
      );
    }
  }
});

Deno.test("absorbShared() is of one cluster", () => {
  const other = { ...brought(sampleShared()), clusterId: new Uint8Array(16) };
  assert.throws(() => absorbShared(BEFORE, other), InvariantError);
});

Deno.test("absorbShared() has no epoch above the last registered one", () => {
  const shared = rotated(184274);
  const last = (keyId: number) => (id: number) => id === keyId ? 0xffff : 0;
  assert.throws(
    () => absorbShared(BEFORE, brought(shared, last(9))),
    (error) => error instanceof EpochExhaustedError && error.keyId === 9,
  );
  // Nothing is sealed under a key that is not active.
  const inactive = { ...shared, active: sampleShared().active };
  const after = absorbShared(BEFORE, brought(inactive, last(9)));
  assert.equal(after?.epochs.get(9), 0xffff);
  for (const epoch of [-1, 0x10000, 0.5]) {
    assert.throws(
      () => absorbShared(BEFORE, brought(shared, () => epoch)),
      InvariantError,
    );
  }
});

Deno.test("raiseEpochs() raises every key's, the last one stays", () => {
  const after = raiseEpochs(BEFORE);
  assert.deepEqual(Object.fromEntries(after.epochs), {
    77: 2,
    [STORAGE]: 8,
    [RAFT]: 0xffff,
  });
  assert.equal(after.shared, BEFORE.shared);
  assert.equal(BEFORE.epochs.get(77), 1);
});

Deno.test("takeEpoch() takes one above both", () => {
  const cases = [[0, 8], [7, 8], [8, 9], [0xfffe, 0xffff]] as const;
  for (const [above, epoch] of cases) {
    const taken = takeEpoch(BEFORE, STORAGE, above);
    assert.equal(taken.epoch, epoch);
    assert.equal(taken.after.epochs.get(STORAGE), epoch);
    assert.equal(taken.after.epochs.get(77), 1);
  }
  assert.equal(BEFORE.epochs.get(STORAGE), 7);
});

Deno.test("takeEpoch() refuses when none is left, or no such key", () => {
  const exhausted = (keyId: number, above: number) => () =>
    takeEpoch(BEFORE, keyId, above);
  assert.throws(exhausted(RAFT, 0), EpochExhaustedError);
  assert.throws(exhausted(STORAGE, 0xffff), EpochExhaustedError);
  assert.throws(exhausted(5, 0), KeyUnknownError);
  assert.throws(() => takeEpoch(null, 77, 0), KeyUnknownError);
});
