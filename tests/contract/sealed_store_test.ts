/*
 * Goal: a store on a real Deno KV file keeps no value in the clear from the
 * storage cutover on, and opens all of them.
 * Method: write, overwrite, write in parts, replace; look for a canary in every
 * byte of every file.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import { openDenoKv } from "../../src/io/deno/kv.ts";
import { BufferedStore } from "../../src/store/buffered_store.ts";
import { buildStore } from "../../src/store/checkpoint/build.ts";
import { Store } from "../../src/store/store.ts";
import { macOf } from "../unit/store/encryption_model.ts";
import {
  CANARY,
  CLUSTER_ID,
  CUTOVER,
  putAt,
  sealedAt,
} from "../unit/store/sealed_model.ts";
import { SILENT_LOG } from "../unit/store/store_model.ts";
import { TestRecordKeys } from "../unit/store/test_record_keys.ts";

const ALL = {
  ...{ start: new Uint8Array(0), end: Uint8Array.of(255), limit: 5_000 },
  reverse: false,
};

/** Files of `dir` in which the canary shows. */
async function found(dir: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(dir)) {
    const bytes = await Deno.readFile(`${dir}/${name}`);
    const text = new TextDecoder("latin1").decode(bytes);
    if (text.includes(CANARY)) names.push(name);
  }
  return names;
}

async function inDir(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("no value of a sealed store is in its files", () =>
  inDir(async (dir) => {
    const keys = new TestRecordKeys(CLUSTER_ID);
    const kv = openDenoKv(`${dir}/store.sqlite`);
    const store = await BufferedStore.open({ kv, log: SILENT_LOG, keys });
    await store.commit({ state: sealedAt(CUTOVER), mutations: [] });
    const names = Array.from({ length: 1_100 }, (_, i) => `k${i}`);
    const bytesOf = (i: number) => i % 200 === 0 ? 65_536 : 40;
    for (const index of [11, 12]) {
      const mutations = names.map((name, i) =>
        putAt(name, index, { bytes: bytesOf(i) })
      );
      await store.commit({ state: sealedAt(index), mutations });
      await store.flush();
    }
    assert.ok(store.counters.multiPart > 0);
    assert.deepEqual(await found(dir), []);
    await store.close();
    assert.deepEqual(await found(dir), []);
    const again = await Store.open({
      kv: openDenoKv(`${dir}/store.sqlite`),
      ...{ log: SILENT_LOG, keys: new TestRecordKeys(CLUSTER_ID, 50) },
    });
    const [entries] = await again.readRanges(1, [ALL], 0);
    assert.equal(entries!.length, names.length);
    assert.ok(entries!.every(({ value }) => value.data.at(-1) === 12));
    await again.close();
  }));

Deno.test("a session is inserted on a real file while a commit is under way", () =>
  inDir(async (dir) => {
    const keys = new TestRecordKeys(CLUSTER_ID);
    const kv = openDenoKv(`${dir}/store.sqlite`);
    const store = await BufferedStore.open({ kv, log: SILENT_LOG, keys });
    await store.commit({ state: sealedAt(CUTOVER), mutations: [] });
    const sessions = (async () => {
      for (let epoch = 1; epoch <= 30; epoch += 1) {
        const row = { keyId: 5, node16: 1, epoch };
        const salt = new Uint8Array(32).fill(epoch);
        assert.equal(await store.insertSession({ ...row, salt }), true);
      }
    })();
    for (let index = 11; index < 41; index += 1) {
      const mutations = Array.from(
        { length: 50 },
        (_, i) => putAt(`k${i}`, index),
      );
      await store.commit({ state: sealedAt(index), mutations });
      if (index % 3 === 0) keys.renew();
      if (index % 5 === 0) await store.flush();
    }
    await sessions;
    await store.close();
    const again = await Store.open({
      kv: openDenoKv(`${dir}/store.sqlite`),
      ...{ log: SILENT_LOG, keys: new TestRecordKeys(CLUSTER_ID, 50) },
    });
    const rows = await again.sessionRows();
    assert.equal(rows.filter(({ keyId }) => keyId === 5).length, 30);
    assert.ok(rows.length > 33, `${rows.length}`);
    assert.equal((await again.readRanges(1, [ALL], 0))[0]!.length, 50);
    await again.close();
  }));

Deno.test("a store that is built on a real file is sealed and marked", () =>
  inDir(async (dir) => {
    const keys = new TestRecordKeys(CLUSTER_ID);
    const state = sealedAt(20);
    const { database, key, record } = putAt("a", 3, { bytes: 65_536 });
    const source = {
      state,
      async *records() {
        yield [{ database, key, ...record! }];
      },
      close: () => Promise.resolve(),
    };
    const path = `${dir}/built.sqlite`;
    const kv = await openDenoKv(path);
    const own = { encryptionMac: macOf(1), sessions: [], keys };
    await buildStore(kv, source, own);
    kv.close();
    assert.deepEqual(await found(dir), []);
    const store = await Store.open({
      kv: openDenoKv(path),
      ...{ log: SILENT_LOG, keys },
    });
    assert.equal(store.hasNoCleartextMark, true);
    const [built] = await store.readRecords([{ database: 1, key: utf8("a") }]);
    assert.equal(built!.value.data.length, 65_536);
    await store.markNoCleartext();
    await store.close();
  }));
