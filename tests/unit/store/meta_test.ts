import { NO_ENCRYPTION, NO_ROLLOUT } from "../../../src/fsm/types.ts";
import assert from "node:assert/strict";
import type { NodeError } from "../../../src/base/error.ts";
import {
  decodeDatabase,
  decodeMarker,
  decodeMeta,
  EMPTY_STATE,
  encodeDatabase,
  encodeMarker,
  encodeMeta,
  type StoreState,
} from "../../../src/store/meta.ts";
import { encryptionOf, withEncryption } from "./encryption_model.ts";

const STATE: StoreState = {
  applied: { index: Number.MAX_SAFE_INTEGER, term: 7 },
  confState: {
    voters: [1, 2, 3],
    votersOutgoing: [1],
    learners: [],
    learnersNext: [9, 2 ** 40],
    autoLeave: true,
  },
  fsm: {
    clockMs: 1_700_000_000_000,
    clusterId: new Uint8Array(16).fill(0xab),
    clusterName: "prod ✓",
    databases: new Map(),
    members: new Map(),
    encryption: NO_ENCRYPTION,
    rollout: NO_ROLLOUT,
  },
  encryptionMac: null,
};

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as NodeError).code;
  }
  return "none";
};

for (const state of [STATE, EMPTY_STATE]) {
  const { index } = state.applied;
  Deno.test(`decodeMeta() gives back the state at ${index}`, () => {
    const meta = { state, hasEncryption: false };
    assert.deepEqual(decodeMeta(encodeMeta(state), new Map()), meta);
  });
}

Deno.test("encodeMeta() says whether encryption rows go with it", () => {
  const plain = encodeMeta(STATE);
  const bytes = encodeMeta(withEncryption(STATE, encryptionOf(5)));
  assert.deepEqual([plain[0], bytes[0]], [1, 2]);
  const meta = { state: STATE, hasEncryption: true };
  assert.deepEqual(decodeMeta(bytes, new Map()), meta);
  // The version is under the checksum.
  const forged = plain.with(0, 2);
  assert.equal(code(() => decodeMeta(forged, new Map())), "STORE_ROW_DAMAGED");
});

Deno.test("decodeMeta() refuses every changed bit and truncation", () => {
  const bytes = encodeMeta(STATE);
  for (let at = 0; at < bytes.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << bit;
      assert.equal(
        code(() => decodeMeta(changed, new Map())),
        at === 0 ? "STORE_VERSION_UNSUPPORTED" : "STORE_ROW_DAMAGED",
      );
    }
    assert.equal(
      code(() => decodeMeta(bytes.subarray(0, at), new Map())),
      "STORE_ROW_DAMAGED",
    );
  }
});

Deno.test("decodeDatabase() binds a name to its number", () => {
  const bytes = encodeDatabase("orders", 12);
  assert.equal(decodeDatabase(bytes, 12), "orders");
  assert.equal(code(() => decodeDatabase(bytes, 13)), "STORE_ROW_DAMAGED");
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    assert.equal(code(() => decodeDatabase(changed, 12)), "STORE_ROW_DAMAGED");
    assert.equal(
      code(() => decodeDatabase(bytes.subarray(0, at), 12)),
      "STORE_ROW_DAMAGED",
    );
  }
});

Deno.test("decodeMarker() refuses every changed byte", () => {
  const marker = { next: 3, count: 1_000 };
  const bytes = encodeMarker(marker);
  assert.deepEqual(decodeMarker(bytes), marker);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    assert.equal(
      code(() => decodeMarker(changed)),
      at === 0 ? "STORE_VERSION_UNSUPPORTED" : "STORE_ROW_DAMAGED",
    );
    assert.equal(
      code(() => decodeMarker(bytes.subarray(0, at))),
      "STORE_ROW_DAMAGED",
    );
  }
});
