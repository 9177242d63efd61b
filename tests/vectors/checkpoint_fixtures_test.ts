/*
 * Bytes that a program once wrote: they are read for ever. One line of hex.
 */
import assert from "node:assert/strict";
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { decodePointer } from "../../src/node/store_place.ts";
import { readCheckpoint } from "../../src/store/checkpoint/read.ts";
import {
  plainRecords,
  readAll,
} from "../unit/store/checkpoint/checkpoint_model.ts";
import { encryptionOf } from "../unit/store/encryption_model.ts";
import {
  fileOf,
  RECORDS,
  SEALED_STATE,
  STATE,
  streamKeysOf,
  streamOf,
} from "../unit/store/checkpoint/stream.ts";

async function fixture(name: string): Promise<Bytes> {
  const path = new URL(`../fixtures/v1/${name}.hex`, import.meta.url);
  const bytes = fromHex((await Deno.readTextFile(path)).trim());
  assert.ok(bytes !== null);
  return bytes;
}

const SMALL = RECORDS.filter(({ value }) => value.data.length < 1_000);

Deno.test("checkpoint_stream is read, and written so today", async () => {
  const stream = await fixture("checkpoint_stream");
  const reader = await readCheckpoint(fileOf(stream));
  assert.deepEqual(reader.state, STATE);
  assert.deepEqual(plainRecords(await readAll(reader)), plainRecords(SMALL));
  const again = await streamOf(STATE, SMALL, { chunkBytes: 1_000 });
  assert.equal(toHex(again), toHex(stream));
});

Deno.test("checkpoint_keys is read, and written so today", async () => {
  const stream = await fixture("checkpoint_keys");
  const reader = await readCheckpoint(fileOf(stream));
  const encryption = encryptionOf(184_273, { epoch: 7 });
  const state = { ...STATE, fsm: { ...STATE.fsm, encryption } };
  assert.deepEqual(reader.state, state);
  assert.deepEqual(plainRecords(await readAll(reader)), plainRecords(SMALL));
  const again = await streamOf(state, SMALL, { chunkBytes: 1_000 });
  assert.equal(toHex(again), toHex(stream));
});

Deno.test("checkpoint_sealed is read, and written so today", async () => {
  const stream = await fixture("checkpoint_sealed");
  // The storage key is 32 times 07.
  const keys = streamKeysOf(7);
  const reader = await readCheckpoint(fileOf(stream), { keys });
  assert.deepEqual(reader.state, SEALED_STATE);
  assert.deepEqual(plainRecords(await readAll(reader)), plainRecords(SMALL));
  const options = { chunkBytes: 1_000, keys };
  const again = await streamOf(SEALED_STATE, SMALL, options);
  assert.equal(toHex(again), toHex(stream));
});

Deno.test("store_pointer is read", async () => {
  assert.deepEqual(decodePointer("x", await fixture("store_pointer")), {
    store: "store-184273.sqlite",
    index: 184_273,
  });
});
