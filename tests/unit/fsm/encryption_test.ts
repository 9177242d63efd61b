import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import {
  decideEncryption,
  phaseOf,
  type RefusalCode,
} from "../../../src/fsm/encryption.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
} from "../../../src/fsm/types.ts";
import {
  BOOTSTRAP,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  EVERY_KIND,
  founded,
  NODE_A,
  RAFT,
  refusalOf,
  register,
  retire,
  rewrap,
  rotate,
  SEAL_CLEARTEXT,
  STATE,
  stateAfter,
  STORAGE,
  takenBy,
} from "./encryption_fixtures.ts";

const STARTED = stateAfter(BOOTSTRAP);
const STORAGE_ON = stateAfter(BOOTSTRAP, ENABLE_STORAGE);
const LOCKED = stateAfter(BOOTSTRAP, ENABLE_STORAGE, SEAL_CLEARTEXT);
const RAFT_ON = stateAfter(BOOTSTRAP, ENABLE_STORAGE, ENABLE_RAFT);
const ALL_ON = stateAfter(
  BOOTSTRAP,
  ENABLE_STORAGE,
  SEAL_CLEARTEXT,
  ENABLE_RAFT,
);

for (const change of Object.values(EVERY_KIND)) {
  Deno.test(`decideEncryption() takes no ${change.kind} before the founding`, () => {
    for (const encryption of [NO_ENCRYPTION, STARTED]) {
      const state = { ...founded(encryption), clusterId: null };
      assert.deepEqual(decideEncryption(state, 9, change), {
        kind: "refused",
        refusal: { code: "not-founded", detail: "the cluster has no id" },
      });
    }
  });

  if (change.kind === "bootstrap") continue;
  Deno.test(`decideEncryption() takes no ${change.kind} before bootstrap`, () => {
    assert.deepEqual(refusalOf(NO_ENCRYPTION, change), {
      code: "not-bootstrapped",
      detail: "there are no keys",
    });
  });
}

type Mark = "storageCutoverIndex" | "raftCutoverIndex" | "cleartextLockIndex";

const MARKED: readonly (readonly [
  what: string,
  state: EncryptionState,
  change: EncryptionChange,
  /** The index that is set, "same" for the very state, or the refusal. */
  expected: Mark | "same" | RefusalCode,
])[] = [
  ["storage after bootstrap", STARTED, ENABLE_STORAGE, "storageCutoverIndex"],
  ["storage twice", STORAGE_ON, ENABLE_STORAGE, "same"],
  ["storage once all is on", ALL_ON, ENABLE_STORAGE, "same"],
  ["raft before storage", STARTED, ENABLE_RAFT, "storage-envelope-off"],
  ["raft after storage", STORAGE_ON, ENABLE_RAFT, "raftCutoverIndex"],
  ["raft after the lock", LOCKED, ENABLE_RAFT, "raftCutoverIndex"],
  ["raft twice", RAFT_ON, ENABLE_RAFT, "same"],
  ["the lock before storage", STARTED, SEAL_CLEARTEXT, "storage-envelope-off"],
  ["the lock after storage", STORAGE_ON, SEAL_CLEARTEXT, "cleartextLockIndex"],
  ["the lock after raft", RAFT_ON, SEAL_CLEARTEXT, "cleartextLockIndex"],
  ["the lock twice", LOCKED, SEAL_CLEARTEXT, "same"],
  ["the lock once all is on", ALL_ON, SEAL_CLEARTEXT, "same"],
];

for (const [what, state, change, expected] of MARKED) {
  Deno.test(`decideEncryption() answers ${what}: ${expected}`, () => {
    const index = state.stateIndex + 40;
    const decision = decideEncryption(founded(state), index, change);
    if (decision.kind === "refused") {
      assert.equal(decision.refusal.code, expected);
    } else if (expected === "same") {
      assert.equal(decision.next, state);
    } else {
      const next = { ...state, stateIndex: index, [expected]: index };
      assert.deepEqual(decision.next, next);
    }
  });
}

const REGISTERED = stateAfter(BOOTSTRAP, register(NODE_A, [STORAGE, 1]));
const ROTATED = stateAfter(BOOTSTRAP, rotate(31, "storage", STORAGE));

/** What the same change does when it comes once more. */
const TWICE: readonly (readonly [
  before: EncryptionState,
  change: EncryptionChange,
  expected: "same" | "again" | RefusalCode,
])[] = [
  [NO_ENCRYPTION, BOOTSTRAP, "already-bootstrapped"],
  [STARTED, register(NODE_A, [STORAGE, 1], [RAFT, 1]), "same"],
  [REGISTERED, register(NODE_A, [STORAGE, 2]), "same"],
  [STARTED, rotate(31, "storage", STORAGE), "stale"],
  [STARTED, rewrap(STORAGE, RAFT, STATE), "again"],
  [ROTATED, retire(STORAGE), "unknown-key"],
  [STARTED, ENABLE_STORAGE, "same"],
  [STORAGE_ON, ENABLE_RAFT, "same"],
  [STORAGE_ON, SEAL_CLEARTEXT, "same"],
];

for (const [before, change, expected] of TWICE) {
  Deno.test(`decideEncryption() answers a second ${change.kind}: ${expected}`, () => {
    const once = takenBy(before, 50, change);
    assert.notEqual(once, before);
    const decision = decideEncryption(founded(once), 60, change);
    if (decision.kind === "refused") {
      assert.equal(decision.refusal.code, expected);
    } else if (expected === "same") {
      assert.equal(decision.next, once);
    } else {
      assert.equal(expected, "again");
      assert.deepEqual(decision.next, { ...once, stateIndex: 60 });
    }
  });
}

const MOVES:
  readonly (readonly [before: EncryptionState, change: EncryptionChange])[] = [
    [NO_ENCRYPTION, BOOTSTRAP],
    [STARTED, rotate(31, "raft", RAFT)],
    [STARTED, rewrap(STORAGE, RAFT, STATE)],
    [ROTATED, retire(STORAGE)],
    [STARTED, ENABLE_STORAGE],
    [STORAGE_ON, ENABLE_RAFT],
    [STORAGE_ON, SEAL_CLEARTEXT],
  ];

for (const [before, change] of MOVES) {
  Deno.test(`decideEncryption() moves the state index by ${change.kind}`, () => {
    assert.equal(takenBy(before, 77, change).stateIndex, 77);
  });
}

Deno.test("decideEncryption() leaves the state index to a registration", () => {
  const after = takenBy(STARTED, 77, register(NODE_A, [STORAGE, 1]));
  assert.equal(after.stateIndex, 1);
});

Deno.test("decideEncryption() comes after the last change", () => {
  const state = founded(STORAGE_ON);
  for (const index of [0, 1, 2]) {
    assert.throws(
      () => decideEncryption(state, index, ENABLE_RAFT),
      InvariantError,
    );
  }
  assert.equal(decideEncryption(state, 3, ENABLE_RAFT).kind, "taken");
});

const PHASES: readonly (readonly [state: EncryptionState, phase: number])[] = [
  [NO_ENCRYPTION, 0],
  [STARTED, 0],
  [STORAGE_ON, 1],
  [LOCKED, 1],
  [RAFT_ON, 2],
  [ALL_ON, 2],
];

for (const [state, phase] of PHASES) {
  Deno.test(`phaseOf() is ${phase} at index ${state.stateIndex}`, () => {
    assert.equal(phaseOf(state), phase);
  });
}
