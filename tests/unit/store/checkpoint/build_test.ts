/*
 * Goal: a store built from a checkpoint is the store it was made of; one that
 * is half built is never taken for a store.
 * Method: build on the simulated kv, dying before or after its nth commit for
 * every n, and open what is there.
 */
import assert from "node:assert/strict";
import { InvariantError } from "../../../../src/base/assert.ts";
import { utf8 } from "../../../../src/base/bytes.ts";
import { buildStore } from "../../../../src/store/checkpoint/build.ts";
import { readCheckpoint } from "../../../../src/store/checkpoint/read.ts";
import type { CheckpointRecord } from "../../../../src/store/checkpoint/source.ts";
import { Store } from "../../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../../sim/io/kv.ts";
import {
  encryptionOf,
  macOf,
  NOTHING_OWN,
  STORAGE_KEY,
} from "../encryption_model.ts";
import { recordOf, SILENT_LOG } from "../store_model.ts";
import { plainRecords, readAll } from "./checkpoint_model.ts";
import { fileOf, RECORDS, sourceOf, STATE, streamOf } from "./stream.ts";

const STORED = { ...STATE, encryptionMac: null };

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
  const state = await buildStore(
    kv,
    await readCheckpoint(fileOf(stream)),
    NOTHING_OWN,
  );
  assert.deepEqual(state, STORED);
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
  await store.commit({ state: STORED, mutations });
  const to = new SimKvDisk();
  await buildStore(
    new SimKv({ disk: to }),
    await store.checkpoint(),
    NOTHING_OWN,
  );
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
      const done = await buildStore(
        kv,
        sourceOf(STATE, records),
        NOTHING_OWN,
      ).then(
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

const ENCRYPTION = encryptionOf(184_273);
const ENCRYPTED = {
  ...STATE,
  fsm: { ...STATE.fsm, encryption: ENCRYPTION },
};
const SESSIONS = [1, 2].map((epoch) => ({
  ...{ keyId: STORAGE_KEY, node16: 0xd4c0, epoch },
  salt: new Uint8Array(32).fill(epoch),
}));
const OWN = { encryptionMac: macOf(5), sessions: SESSIONS };

Deno.test("buildStore() adds what is the node's own", async () => {
  const stream = await streamOf(ENCRYPTED, RECORDS);
  const reader = await readCheckpoint(fileOf(stream));
  assert.ok(!("encryptionMac" in reader.state));
  const disk = new SimKvDisk();
  const state = await buildStore(new SimKv({ disk }), reader, OWN);
  assert.deepEqual(state, { ...ENCRYPTED, encryptionMac: macOf(5) });
  const store = await open(disk);
  assert.deepEqual(store.state.fsm.encryption, ENCRYPTION);
  assert.deepEqual(store.state.encryptionMac, macOf(5));
  assert.deepEqual(await store.sessionRows(), SESSIONS);
  assert.equal(await store.insertSession(SESSIONS[1]!), false);
  const again = await streamOf(ENCRYPTED, RECORDS);
  assert.deepEqual(again, stream, "sessions are in no stream");
  await store.close();
});

Deno.test("a stream tells nothing of the node that wrote it", async () => {
  const streams = [OWN, { ...OWN, encryptionMac: macOf(6), sessions: [] }];
  const written = await Promise.all(streams.map(async (own) => {
    const disk = new SimKvDisk();
    await buildStore(new SimKv({ disk }), sourceOf(ENCRYPTED, RECORDS), own);
    const store = await open(disk);
    const { state } = await store.checkpoint();
    const stream = await streamOf(state, RECORDS);
    await store.close();
    return stream;
  }));
  assert.deepEqual(written[0], written[1]);
});

Deno.test("buildStore() needs a MAC exactly for keys", async () => {
  const cases = [[ENCRYPTED, NOTHING_OWN], [STATE, OWN]] as const;
  for (const [state, own] of cases) {
    const building = buildStore(new SimKv(), sourceOf(state, []), own);
    await assert.rejects(building, InvariantError);
  }
});

Deno.test("buildStore() has sessions before records, and no store of them alone", async () => {
  let sessionsAlone = 0;
  for (const records of [[], manyRecords()]) {
    for (let faultAt = 1;; faultAt += 1) {
      const disk = new SimKvDisk();
      const kv = new SimKv({ disk, faultAt, fault: "crash-after" });
      const source = sourceOf(ENCRYPTED, records);
      const done = await buildStore(kv, source, OWN).then(
        () => true,
        () => false,
      );
      const sessions = disk.rows.filter(({ key }) => key[1] === 9n).length;
      assert.equal(sessions, 2);
      if (disk.rows.length === 2) sessionsAlone += 1;
      const opened = await open(disk).catch((error) => {
        assert.equal(error.code, "STORE_ROW_DAMAGED");
        return null;
      });
      if (done) assert.deepEqual(opened?.state.fsm.encryption, ENCRYPTION);
      await opened?.close();
      if (done) break;
    }
  }
  assert.equal(sessionsAlone, 1);
});

Deno.test("buildStore() leaves no state behind when the stream is damaged", async () => {
  const stream = await streamOf(STATE, manyRecords());
  stream[stream.length - 9]! ^= 1;
  const disk = new SimKvDisk();
  const building = buildStore(
    new SimKv({ disk }),
    await readCheckpoint(fileOf(stream)),
    NOTHING_OWN,
  );
  await assert.rejects(building, { code: "STORE_CHECKPOINT_DAMAGED" });
  assert.ok(disk.rows.length > 1_000);
  await assert.rejects(open(disk), { code: "STORE_ROW_DAMAGED", row: "meta" });
});

Deno.test("buildStore() refuses a kv that holds something", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await store.commit({ state: STORED, mutations: [] });
  await store.close();
  const kv = new SimKv({ disk });
  const building = buildStore(kv, sourceOf(STATE, RECORDS), NOTHING_OWN);
  await assert.rejects(building, /nothing is/);
});

Deno.test("buildStore() takes ten thousand databases", async () => {
  const databases = new Map(
    Array.from({ length: 9_999 }, (_, i) => [`db${i}`, i + 2] as const),
  );
  const state = { ...STATE, fsm: { ...STATE.fsm, databases } };
  const disk = new SimKvDisk();
  const stream = await streamOf(state, []);
  const reader = await readCheckpoint(fileOf(stream));
  await buildStore(new SimKv({ disk }), reader, NOTHING_OWN);
  const store = await open(disk);
  assert.deepEqual(store.state.fsm.databases, databases);
  await store.close();
});
