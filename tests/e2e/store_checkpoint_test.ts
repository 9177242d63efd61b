/*
 * Goal: on real Deno KV files, too, a checkpoint is the store at one index
 * while it is written, and a store built from it takes its place for good.
 * Method: write batches of which each leaves a whole pattern, copy meanwhile,
 * compare; build, switch, replace, and open what the pointer names.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import type { Mutation } from "../../src/fsm/types.ts";
import { openDenoDisk } from "../../src/io/deno/disk.ts";
import { openDenoKv } from "../../src/io/deno/kv.ts";
import { denoRandom } from "../../src/io/deno/random.ts";
import { dataDirPaths } from "../../src/node/data_dir.ts";
import { openStorePlace } from "../../src/node/store_place.ts";
import { BufferedStore } from "../../src/store/buffered_store.ts";
import { buildStore } from "../../src/store/checkpoint/build.ts";
import {
  readCheckpoint,
  verifyCheckpoint,
} from "../../src/store/checkpoint/read.ts";
import { writeCheckpointFile } from "../../src/store/checkpoint/write.ts";
import { Store } from "../../src/store/store.ts";
import {
  plainRecords,
  readAll,
  RecordModel,
} from "../unit/store/checkpoint/checkpoint_model.ts";
import { NOTHING_OWN } from "../unit/store/encryption_model.ts";
import { recordOf, SILENT_LOG, stateAt } from "../unit/store/store_model.ts";

const KEYS = 1_500;
const ROUNDS = 6;

/** Values of many sizes; some batches take more than one atomic. */
function batchOf(index: number): readonly Mutation[] {
  const isBig = index % 10 === 0;
  return Array.from({ length: 40 }, (_, i) => {
    const number = (index * 7_919 + i * 613) % KEYS;
    const key = number % 20 === 0
      ? new Uint8Array(2_060).fill(107).with(2_059, number / 20)
      : utf8(`k${`${number}`.padStart(5, "0")}`);
    if ((index + i) % 6 === 0) return { database: 1, key, record: null };
    const bytes = isBig ? 65_536 - i : number % 300;
    const data = new Uint8Array(bytes).fill(index);
    const expireAtMs = i % 5 === 0 ? index + 20 : 0;
    return { database: 1, key, record: recordOf(data, index, expireAtMs) };
  });
}

Deno.test("a checkpoint of Deno KV is one state, and becomes a store", async () => {
  const root = await Deno.makeTempDir();
  const disk = openDenoDisk();
  const paths = dataDirPaths(root);
  try {
    const place = await openStorePlace(disk, paths);
    const store = await Store.open({
      kv: openDenoKv(place.path),
      log: SILENT_LOG,
    });
    const model = new RecordModel();
    let index = 0;
    const write = () => {
      index += 1;
      const mutations = batchOf(index);
      model.apply(mutations);
      return store.commit({ state: stateAt(index, index), mutations });
    };
    const path = `${root}/one.ckpt`;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let i = 0; i < 30; i += 1) await write();
      await store.sweep(index, 10_000);
      model.sweep(index);
      const expected = plainRecords(model.records());
      const began = index;
      const preimageBytesMax = round % 2 === 0 ? 2 ** 24 : 100_000;
      const options = { pageRowsMax: 20, preimageBytesMax };
      const source = await store.checkpoint(options);
      assert.equal(source.state.applied.index, began);
      let isCopied = false;
      const copying = writeCheckpointFile(source, { disk, path }, {
        random: denoRandom(),
      }).finally(() => isCopied = true);
      let during = 0;
      while (!isCopied) {
        await write();
        during += 1;
      }
      await copying;
      assert.ok(during > 0, "commits went on");
      const file = await disk.open(path, "existing");
      const found = await readAll(await readCheckpoint(file));
      assert.deepEqual(plainRecords(found), expected);
      await file.close();
    }
    await store.close();
  } finally {
    await disk.close();
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a built store takes the place of the old one, also after a restart", async () => {
  const root = await Deno.makeTempDir();
  const disk = openDenoDisk();
  const paths = dataDirPaths(root);
  const open = (path: string) =>
    Store.open({ kv: openDenoKv(path), log: SILENT_LOG });
  try {
    const leader = await open(`${root}/leader.sqlite`);
    for (let index = 1; index <= 60; index += 1) {
      const state = stateAt(index, index);
      await leader.commit({ state, mutations: batchOf(index) });
    }
    const path = `${root}/received.ckpt`;
    const source = await leader.checkpoint();
    await writeCheckpointFile(source, { disk, path }, { random: denoRandom() });
    const expected = plainRecords(await readAll(await leader.checkpoint()));
    await leader.close();

    const place = await openStorePlace(disk, paths);
    const store = await BufferedStore.open({
      kv: openDenoKv(place.path),
      log: SILENT_LOG,
    });
    await store.commit({ state: stateAt(7), mutations: batchOf(7) });
    const file = await disk.open(path, "existing");
    const { state } = await verifyCheckpoint(file);
    const built = await place.prepare(state.applied.index);
    const kv = await openDenoKv(built);
    await buildStore(kv, await readCheckpoint(file), NOTHING_OWN);
    await file.close();
    const next = await Store.open({ kv, log: SILENT_LOG });
    await place.switchTo(built, state.applied.index);
    await store.replaceWith(next);
    await place.removeOthers();
    assert.equal(store.durable.applied.index, 60);
    await store.close();

    const again = await openStorePlace(disk, paths);
    assert.equal(again.installedIndex, 60);
    const names = (await disk.list(root)).map(({ name }) => name)
      .filter((name) => name.startsWith("store"));
    assert.ok(
      names.every((name) => /^store(-60\.sqlite|\.pointer)/.test(name)),
    );
    const reopened = await open(again.path);
    const records = await readAll(await reopened.checkpoint());
    assert.deepEqual(plainRecords(records), expected);
    await reopened.close();
  } finally {
    await disk.close();
    await Deno.remove(root, { recursive: true });
  }
});
