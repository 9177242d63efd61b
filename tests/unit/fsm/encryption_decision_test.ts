import assert from "node:assert/strict";
import type { RefusalCode } from "../../../src/fsm/encryption.ts";
import { refused, taken } from "../../../src/fsm/encryption_decision.ts";
import { WRITERS_MAX } from "../../../src/fsm/limits.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
  writerId,
} from "../../../src/fsm/types.ts";
import {
  BOOTSTRAP,
  crowded,
  ENABLE_RAFT,
  keyOf,
  NODE_A,
  NODE_B,
  RAFT,
  refusalOf,
  register,
  retire,
  rotate,
  STATE,
  stateAfter,
  STORAGE,
} from "./encryption_fixtures.ts";

const STARTED = stateAfter(BOOTSTRAP, register(NODE_A, [STORAGE, 3]));
const FULL: EncryptionState = {
  ...STARTED,
  writers: new Map(Array.from({ length: WRITERS_MAX }, (_, i) => {
    const fullNodeId = BigInt(i) + 0x100n;
    const node16 = Number(fullNodeId);
    const row = { keyId: STORAGE, node16, fullNodeId };
    return [writerId(STORAGE, node16), { ...row, firstEpoch: 1, lastEpoch: 1 }];
  })),
};

/** A new code does not compile without what brings it about. */
const REASONS: Readonly<
  Record<RefusalCode, readonly [EncryptionState, EncryptionChange] | null>
> = {
  // encryption_test.ts: there is no state before the founding.
  "not-founded": null,
  "already-bootstrapped": [STARTED, BOOTSTRAP],
  "not-bootstrapped": [NO_ENCRYPTION, ENABLE_RAFT],
  "wrong-purpose": [STARTED, retire(STATE)],
  "key-id-reused": [STARTED, rotate(RAFT, "storage", STORAGE)],
  "unknown-key": [STARTED, retire(99)],
  "key-active": [STARTED, retire(RAFT)],
  "epoch-rollback": [STARTED, register(NODE_A, [STORAGE, 2])],
  "node-collision": [STARTED, register(NODE_B, [STORAGE, 4])],
  "stale": [STARTED, rotate(5, "storage", 99)],
  "too-many-keys": [crowded({ keys: 128 }), {
    kind: "rotate-dek",
    key: keyOf(5, "raft"),
    replaces: RAFT,
  }],
  "storage-envelope-off": [STARTED, ENABLE_RAFT],
  // rollout_test.ts: an entry of the rollout.
  "no-rewrite": null,
  "state-too-large": [FULL, register(NODE_A, [STORAGE, 1])],
};

for (const [code, reason] of Object.entries(REASONS)) {
  if (reason === null) continue;
  Deno.test(`${code} can happen`, () => {
    const [state, change] = reason;
    assert.equal(refusalOf(state, change).code, code);
  });
}

Deno.test("refused() and taken() are the two decisions", () => {
  assert.deepEqual(refused("stale", "why"), {
    kind: "refused",
    refusal: { code: "stale", detail: "why" },
  });
  assert.deepEqual(taken(STARTED), { kind: "taken", next: STARTED });
});
