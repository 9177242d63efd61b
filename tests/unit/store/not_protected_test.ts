/*
 * Goal: docs/security.md is right about what sealing does not protect. Should
 * one of these fail, the page says less than is true: mend the page.
 * Method: do to the rows of a sealed store what whoever has the disk can do.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { NonceSequence } from "../../../src/crypto/nonce.ts";
import { Store } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { STORAGE_KEY } from "./encryption_model.ts";
import { CLUSTER_ID, putAt, rowOf, sealedAt } from "./sealed_model.ts";
import { SILENT_LOG } from "./store_model.ts";
import { TestRecordKeys } from "./test_record_keys.ts";

const NAME = "a name that tells";

async function sealedStore() {
  const disk = new SimKvDisk();
  const keys = new TestRecordKeys(CLUSTER_ID);
  const kv = new SimKv({ disk });
  const store = await Store.open({ kv, log: SILENT_LOG, keys });
  const write = (index: number, bytes = 20) =>
    store.commit({
      state: sealedAt(index),
      mutations: [putAt(NAME, index, { bytes })],
    });
  const last = async () => {
    const place = { database: 1, key: utf8(NAME) };
    const [record] = await store.readRecords([place]);
    return record?.value.data.at(-1) ?? null;
  };
  return { disk, keys, store, write, last };
}

Deno.test("a row's older sealed version that is put back is served", async () => {
  const { disk, store, write, last } = await sealedStore();
  await write(11);
  const older = rowOf(disk, NAME).value.slice();
  await write(12);
  assert.equal(await last(), 12);
  rowOf(disk, NAME).value.set(older);
  assert.equal(await last(), 11);
  await store.close();
});

Deno.test("a row that is deleted on the disk is not missed", async () => {
  const { disk, store, write, last } = await sealedStore();
  await write(11);
  const row = rowOf(disk, NAME);
  disk.rows = disk.rows.filter((one) => one !== row);
  assert.equal(await last(), null);
  await store.close();
});

Deno.test("key, size and versionstamp of a sealed record are readable", async () => {
  const { disk, store, write } = await sealedStore();
  await write(11, 300);
  const { key, value } = rowOf(disk, NAME);
  assert.deepEqual(key, [1n, utf8(NAME)]);
  assert.equal(value.length, 21 + 34 + 300);
  const stamp = putAt(NAME, 11).record?.versionstamp;
  assert.deepEqual(value.subarray(3, 13), stamp);
  await store.close();
});

Deno.test("a process that has used a key may open with it after its end", async () => {
  const { keys, store, write, last } = await sealedStore();
  await write(11);
  assert.equal(await last(), 11);
  keys.forgotten.add(STORAGE_KEY);
  assert.equal(await last(), 11);
  await store.close();
});

Deno.test("memory that is resumed twice gives nonces twice", () => {
  const resumed = () => new NonceSequence(1, 1, 7);
  assert.deepEqual(resumed().next(), resumed().next());
});
