import assert from "node:assert/strict";
import {
  KEYS_MAX,
  WRAPPED_BYTES_MAX,
  type WrappedKey,
  WRAPS_MAX,
} from "../../../../src/base/data_key.ts";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import type { EncryptionChange, FsmState } from "../../../../src/fsm/types.ts";
import { EncryptionRefusedError } from "../../../../src/node/encryption/change_errors.ts";
import { encodeForeseen } from "../../../../src/node/encryption/foreseen.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import {
  BOOTSTRAP,
  CLUSTER,
  RAFT,
  registrationOf,
  rotation,
  STATE,
  STORAGE,
  wrappedKey,
} from "./changes.ts";

const FOUNDED: FsmState = { ...EMPTY_STATE.fsm, clusterId: CLUSTER };

function after(fsm: FsmState, ...changes: readonly EncryptionChange[]) {
  return changes.reduce((state, change) => {
    const { stateIndex } = state.encryption;
    const decision = decideEncryption(state, stateIndex + 1, change);
    assert.ok(decision.kind === "taken");
    return { ...state, encryption: decision.next };
  }, fsm);
}

const KEYS = after(FOUNDED, BOOTSTRAP);

function refusalOf(fsm: FsmState, change: EncryptionChange): string {
  try {
    encodeForeseen(fsm, fsm.encryption.stateIndex, change);
  } catch (error) {
    assert.ok(error instanceof EncryptionRefusedError);
    assert.equal(error.code, "NODE_ENCRYPTION_REFUSED");
    assert.ok(error.message.includes(error.detail));
    return error.refusal;
  }
  return "";
}

for (const change of [BOOTSTRAP, rotation(44), registrationOf("n1", 3)]) {
  Deno.test(`encodeForeseen() encodes a ${change.kind} that will be taken`, () => {
    const fsm = change.kind === "bootstrap" ? FOUNDED : KEYS;
    assert.deepEqual(encodeForeseen(fsm, 9, change), encodeEncryption(change));
  });
}

/** As many keys as there can be. */
function full(): FsmState {
  let fsm = KEYS;
  for (let id = 1_000; fsm.encryption.keys.size < KEYS_MAX; id += 1) {
    fsm = after(fsm, rotation(id, fsm.encryption.active.storage));
  }
  return fsm;
}

function large(id: number): WrappedKey {
  const wraps = Array.from({ length: WRAPS_MAX }, (_, i) => ({
    kek: `file:${i}`,
    wrapped: new Uint8Array(WRAPPED_BYTES_MAX),
  }));
  return { ...wrappedKey(id, "storage"), wraps };
}

Deno.test("encodeForeseen() refuses one key too many", () => {
  const fsm = full();
  const { storage } = fsm.encryption.active;
  assert.equal(refusalOf(fsm, rotation(5, storage)), "too-many-keys");
});

Deno.test("encodeForeseen() refuses keys that take too much room", () => {
  let fsm = KEYS;
  for (let id = 1_000;; id += 1) {
    const key = large(id);
    const replaces = fsm.encryption.active.storage;
    const change = { kind: "rotate-dek", key, replaces } as const;
    const refusal = refusalOf(fsm, change);
    if (refusal !== "") {
      assert.equal(refusal, "state-too-large");
      assert.ok(fsm.encryption.keys.size < KEYS_MAX);
      return;
    }
    fsm = after(fsm, change);
  }
});

const wrapsOf = (...wraps: WrappedKey["wraps"]): EncryptionChange => ({
  kind: "rotate-dek",
  key: { ...wrappedKey(44, "storage"), wraps },
  replaces: STORAGE,
});
const wrap = (kek: string, length: number) => ({
  kek,
  wrapped: new Uint8Array(length),
});

const REFUSED: [name: string, change: EncryptionChange, code: string][] = [
  ["first keys again", BOOTSTRAP, "already-bootstrapped"],
  ["an id that is there", rotation(RAFT), "key-id-reused"],
  ["a key in the place of another", rotation(44, RAFT), "stale"],
  ["wraps of less than all keys", {
    kind: "rewrap-deks",
    wraps: new Map([[STATE, [wrap("file:00", 60)]]]),
  }, "stale"],
  ["sessions of an unknown key", registrationOf("n1", 1, [99]), "unknown-key"],
  ["a wrap that is too long", wrapsOf(wrap("a", 1_025)), "malformed"],
  ["a wrap of nothing", wrapsOf(wrap("a", 0)), "malformed"],
  ["no wrap", wrapsOf(), "malformed"],
  ["two wraps of a KEK", wrapsOf(wrap("a", 1), wrap("a", 1)), "malformed"],
];
for (const [name, change, code] of REFUSED) {
  Deno.test(`encodeForeseen() refuses ${name}`, () => {
    assert.equal(refusalOf(KEYS, change), code);
  });
}

Deno.test("encodeForeseen() refuses what comes before the cluster", () => {
  assert.equal(refusalOf(EMPTY_STATE.fsm, BOOTSTRAP), "not-founded");
  assert.equal(refusalOf(FOUNDED, rotation(44)), "not-bootstrapped");
});
