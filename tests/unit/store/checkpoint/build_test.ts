/*
 * Goal: a store built from a checkpoint is the store it was made of; one that
 * is half built is never taken for a store.
 * Method: build on the simulated kv, dying before or after its nth commit for
 * every n, and open what is there.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import { buildStore } from "../../../../src/store/checkpoint/build.ts";
import { readCheckpoint } from "../../../../src/store/checkpoint/read.ts";
import type { CheckpointRecord } from "../../../../src/store/checkpoint/source.ts";
import { Store } from "../../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../../sim/io/kv.ts";
import { recordOf, SILENT_LOG } from "../store_model.ts";
import { plainRecords, readAll } from "./checkpoint_model.ts";
import { fileOf, RECORDS, sourceOf, STATE, streamOf } from "./stream.ts";

function open(disk: SimKvDisk): Promise<Store> {
  return Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
}

/** Rows of the store's own kinds. */
function rowsOf(disk: SimKvDisk): readonly string[] {
  return disk.rows.map(({ key, value }) => `${key.join("/")} = ${value}`);
}

/** More than several atomics take. */
function manyRecords(): readonly CheckpointRecord[] {
  return Array.from({ length: 1_500 }, (_, i) => ({
    ...{ database: 1, key: utf8(`k${`${i}`.padStart(6, "0")}`) },
    ...recordOf(new Uint8Array(i % 50 === 0 ? 65_536 : 9), i, i % 3),
  }));
}

Deno.test("buildStore() makes the store that the stream was made of", async () => {
  const stream = await streamOf(STATE, RECORDS, { chunkBytes: 1_000 });
  const disk = new SimKvDisk();
  const kv = new SimKv({ disk });
  const state = await buildStore(kv, await readCheckpoint(fileOf(stream)));
  assert.deepEqual(state, STATE);
  kv.close();
  const store = await open(disk);
  const { members: _, ...fsm } = STATE.fsm;
  const { members: _members, ...found } = store.state.fsm;
  assert.deepEqual(found, fsm);
  assert.deepEqual(store.state.applied, STATE.applied);
  assert.deepEqual(store.state.confState, STATE.confState);
  assert.equal(store.nextExpiryMs(), 1);
  const records = await readAll(await store.checkpoint());
  assert.deepEqual(plainRecords(records), plainRecords(RECORDS));
  assert.equal((await store.sweep(2, 10)).length, 1, "it knows what expires");
  await store.close();
});

Deno.test("buildStore() makes rows like those of the store it came from", async () => {
  const from = new SimKvDisk();
  const store = await open(from);
  const mutations = RECORDS.map(({ database, key, ...record }) => ({
    ...{ database, key, record },
  }));
  await store.commit({ state: STATE, mutations });
  const to = new SimKvDisk();
  await buildStore(new SimKv({ disk: to }), await store.checkpoint());
  assert.deepEqual(rowsOf(to), rowsOf(from));
  await store.close();
});

Deno.test("buildStore() is nothing or all, whenever it dies", async () => {
  const records = manyRecords();
  const expected = plainRecords(records);
  const outcomes = { nothing: 0, refused: 0, all: 0 };
  for (const fault of ["crash-before", "crash-after", "fail"] as const) {
    for (let faultAt = 1;; faultAt += 1) {
      const disk = new SimKvDisk();
      const kv = new SimKv({ disk, faultAt, fault });
      const done = await buildStore(kv, sourceOf(STATE, records)).then(
        () => true,
        () => false,
      );
      kv.close();
      const store = await open(disk).catch((error) => {
        assert.equal(error.code, "STORE_ROW_DAMAGED");
        return null;
      });
      if (store === null) outcomes.refused += 1;
      else if (store.state.applied.index === 0) outcomes.nothing += 1;
      else {
        outcomes.all += 1;
        const found = await readAll(await store.checkpoint());
        assert.deepEqual(plainRecords(found), expected);
        assert.equal(store.state.applied.index, STATE.applied.index);
      }
      if (done) assert.ok(store !== null && store.state.applied.index > 0);
      await store?.close();
      if (done) break;
    }
  }
  assert.ok(outcomes.refused > 8 && outcomes.nothing > 1 && outcomes.all > 3);
});

Deno.test("buildStore() leaves no state behind when the stream is damaged", async () => {
  const stream = await streamOf(STATE, manyRecords());
  stream[stream.length - 9]! ^= 1;
  const disk = new SimKvDisk();
  const building = buildStore(
    new SimKv({ disk }),
    await readCheckpoint(fileOf(stream)),
  );
  await assert.rejects(building, { code: "STORE_CHECKPOINT_DAMAGED" });
  assert.ok(disk.rows.length > 1_000);
  await assert.rejects(open(disk), { code: "STORE_ROW_DAMAGED", row: "meta" });
});

Deno.test("buildStore() refuses a kv that holds something", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await store.commit({ state: STATE, mutations: [] });
  await store.close();
  const kv = new SimKv({ disk });
  await assert.rejects(buildStore(kv, sourceOf(STATE, RECORDS)), /nothing is/);
});

Deno.test("buildStore() takes ten thousand databases", async () => {
  const databases = new Map(
    Array.from({ length: 9_999 }, (_, i) => [`db${i}`, i + 2] as const),
  );
  const state = { ...STATE, fsm: { ...STATE.fsm, databases } };
  const disk = new SimKvDisk();
  const stream = await streamOf(state, []);
  const reader = await readCheckpoint(fileOf(stream));
  await buildStore(new SimKv({ disk }), reader);
  const store = await open(disk);
  assert.deepEqual(store.state.fsm.databases, databases);
  await store.close();
});
