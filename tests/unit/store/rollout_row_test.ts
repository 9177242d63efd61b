import assert from "node:assert/strict";
import { concatBytes, utf8, viewOf } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import type { NodeError } from "../../../src/base/error.ts";
import { ROLLOUT_EVENTS_MAX } from "../../../src/fsm/limits.ts";
import { NO_ROLLOUT, type RolloutState } from "../../../src/fsm/types.ts";
import { KV_VALUE_BYTES_MAX } from "../../../src/io/kv.ts";
import { rolloutChanges } from "../../../src/store/changes.ts";
import { peekStore } from "../../../src/store/peek.ts";
import {
  decodeRollout,
  encodeRollout,
  ROLLOUT_ROW_BYTES_MAX,
} from "../../../src/store/rollout_row.ts";
import { Store } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { recordOf, SILENT_LOG, stateAt } from "./store_model.ts";

const EVENT = {
  atMs: 1_790_000_000_000,
  actor: "token:ops",
  action: "rewrite",
  planHash: "0123456789abcdef",
  result: "done" as const,
  entry: 6,
  detail: "",
};
const ROLLOUT: RolloutState = {
  rewrite: { id: 6, bytesPerSecond: 1_000, isPaused: true },
  dwellUntilMs: 1_790_000_000_001,
  events: [{ ...EVENT, index: 7 }],
};

const LONGEST: RolloutState = {
  rewrite: {
    id: Number.MAX_SAFE_INTEGER,
    bytesPerSecond: Number.MAX_SAFE_INTEGER,
    isPaused: true,
  },
  dwellUntilMs: Number.MAX_SAFE_INTEGER,
  events: Array.from({ length: ROLLOUT_EVENTS_MAX }, (_, i) => ({
    index: Number.MAX_SAFE_INTEGER - ROLLOUT_EVENTS_MAX + i,
    atMs: Number.MAX_SAFE_INTEGER,
    actor: "a".repeat(64),
    action: "b".repeat(40),
    planHash: EVENT.planHash,
    result: "unknown",
    entry: Number.MAX_SAFE_INTEGER,
    detail: "c".repeat(120),
  })),
};

for (const rollout of [NO_ROLLOUT, ROLLOUT, LONGEST]) {
  const { length } = rollout.events;
  Deno.test(`decodeRollout() gives back a rollout of ${length} events`, () => {
    assert.deepEqual(decodeRollout(encodeRollout(rollout)), rollout);
  });
}

Deno.test("encodeRollout() fits the longest rollout into one row", () => {
  assert.equal(encodeRollout(LONGEST).length, ROLLOUT_ROW_BYTES_MAX);
  assert.ok(ROLLOUT_ROW_BYTES_MAX <= KV_VALUE_BYTES_MAX);
});

function code(bytes: Uint8Array): string {
  try {
    decodeRollout(bytes);
  } catch (error) {
    return (error as NodeError).code;
  }
  return "none";
}

Deno.test("decodeRollout() refuses every changed bit and truncation", () => {
  const bytes = encodeRollout(ROLLOUT);
  for (let at = 0; at < bytes.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << bit;
      const expected = at === 0
        ? "STORE_VERSION_UNSUPPORTED"
        : "STORE_ROW_DAMAGED";
      assert.equal(code(changed), expected);
    }
    assert.equal(code(bytes.subarray(0, at)), "STORE_ROW_DAMAGED");
  }
});

Deno.test("decodeRollout() refuses another form under a right checksum", () => {
  const body = Uint8Array.of(1, 0x20, 0x01);
  const checksum = new Uint8Array(4);
  viewOf(checksum).setUint32(0, crc32c(body));
  assert.equal(code(concatBytes(body, checksum)), "STORE_ROW_DAMAGED");
});

function at(index: number, rollout: RolloutState) {
  const state = stateAt(index);
  return { ...state, fsm: { ...state.fsm, rollout } };
}

function open(disk: SimKvDisk): Promise<Store> {
  return Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
}

Deno.test("a store keeps its rollout, written when it changes", async () => {
  const disk = new SimKvDisk();
  const rows = () => disk.rows.filter(({ key }) => key[1] === 10n);
  const store = await open(disk);
  assert.deepEqual(store.state.fsm.rollout, NO_ROLLOUT);
  await store.commit({ state: stateAt(6), mutations: [] });
  assert.equal(rows().length, 0);
  await store.commit({ state: at(7, ROLLOUT), mutations: [] });
  await store.commit({ state: at(8, ROLLOUT), mutations: [] });
  assert.equal(rows().length, 1);
  await store.close();
  const { state } = await peekStore(new SimKv({ disk }));
  assert.deepEqual(state, at(8, ROLLOUT));
  const again = await open(disk);
  assert.deepEqual(again.state, at(8, ROLLOUT));
  await again.commit({ state: at(9, NO_ROLLOUT), mutations: [] });
  await again.close();
  const last = await open(disk);
  assert.deepEqual(last.state, at(9, NO_ROLLOUT));
  await last.close();
});

Deno.test("a commit in parts has its rollout, too", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  const mutations = Array.from({ length: 20 }, (_, i) => ({
    database: 1,
    key: utf8(`k${i}`),
    record: recordOf(new Uint8Array(65_536), 7),
  }));
  await store.commit({ state: at(7, LONGEST), mutations });
  await store.close();
  const again = await open(disk);
  assert.deepEqual(again.state, at(7, LONGEST));
  await again.close();
});

Deno.test("rolloutChanges() is nothing for the very rollout", () => {
  const before = at(7, ROLLOUT);
  assert.deepEqual(rolloutChanges(before, at(8, ROLLOUT)), []);
  assert.equal(rolloutChanges(before, at(8, LONGEST)).length, 1);
});
