/*
 * Goal: a store whose copy took its place goes on as it was, and no byte of
 * what it held before the rewrite is in any file.
 * Method: real Deno KV files; look for canaries in all bytes of all of them,
 * pages that SQLite freed included. Failures on the simulated kv.
 */
import assert from "node:assert/strict";
import { openDenoKv } from "../../../src/io/deno/kv.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { Store } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { NEXT_KEY } from "./rewrite_model.ts";
import { STORAGE_KEY } from "./encryption_model.ts";
import {
  canaries,
  CANARY,
  canaryOf,
  CLUSTER,
  rewriteAll,
  sealedAt,
} from "./rewrite_model.ts";
import { SILENT_LOG, stateAt } from "./store_model.ts";
import { TestRecordKeys } from "./test_record_keys.ts";

const log = SILENT_LOG;
const RECORDS = canaries(1);

async function filesWithCanary(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(dir)) {
    const bytes = await Deno.readFile(`${dir}/${name}`);
    const text = new TextDecoder("latin1").decode(bytes);
    if (text.includes(CANARY)) found.push(name);
  }
  return found;
}

async function removeStore(dir: string, name: string): Promise<void> {
  for await (const { name: found } of Deno.readDir(dir)) {
    if (found.startsWith(name)) await Deno.remove(`${dir}/${found}`);
  }
}

Deno.test("a copy in the place of its store leaves no cleartext in any real file", async () => {
  const dir = await Deno.makeTempDir();
  const keys = new TestRecordKeys(CLUSTER);
  const kv = await openDenoKv(`${dir}/old.sqlite`);
  const store = await BufferedStore.open({ kv, log, keys });
  await store.commit({ state: stateAt(1), mutations: RECORDS });
  await store.flush();
  const gone = canaries(2).map((mutation) => ({ ...mutation, record: null }));
  await store.commit({ state: stateAt(2), mutations: gone.slice(0, 9) });
  await store.commit({ state: sealedAt(3, { cutover: 3 }), mutations: [] });
  await store.flush();
  await rewriteAll(store, STORAGE_KEY);
  await store.markNoCleartext();
  const locked = sealedAt(4, { cutover: 3, lock: 4 });
  await store.commit({ state: locked, mutations: [] });
  assert.equal((await store.countRecords())?.cleartext, 0);
  assert.notDeepEqual(await filesWithCanary(dir), [], "SQLite keeps pages");

  const target = await openDenoKv(`${dir}/new.sqlite`);
  const copy = await store.copyInto(target);
  await copy.fill();
  const late = canaryOf("late", 5, { bytes: 65_536 });
  const state = sealedAt(5, { cutover: 3, lock: 4 });
  await store.commit({ state, mutations: [late] });
  await copy.finish();
  await copy.close();
  target.close();
  const next = openDenoKv(`${dir}/new.sqlite`);
  await store.replaceWith(Store.open({ kv: next, log, keys }));
  await removeStore(dir, "old.sqlite");
  assert.deepEqual(await filesWithCanary(dir), []);

  const kept = [...RECORDS.slice(9), late];
  const check = async (checked: BufferedStore) => {
    assert.deepEqual(checked.state, state);
    assert.ok(checked.hasNoCleartextMark);
    const found = await checked.readRecords(kept);
    assert.deepEqual(found, kept.map(({ record }) => record));
    const [absent] = await checked.readRecords(gone);
    assert.equal(absent, null);
    const counts = {
      cleartext: 0,
      sealed: new Map([[STORAGE_KEY, kept.length]]),
    };
    assert.deepEqual(await checked.countRecords(), counts);
  };
  await check(store);
  await store.close();
  assert.deepEqual(await filesWithCanary(dir), []);
  const reopened = openDenoKv(`${dir}/new.sqlite`);
  const again = await BufferedStore.open({ kv: reopened, log, keys });
  await check(again);
  assert.equal(again.nextExpiryMs(), 5_000);
  await again.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("copyInto() refuses a record in cleartext after the lock", async () => {
  const keys = new TestRecordKeys(CLUSTER);
  const store = await Store.open({ kv: new SimKv(), log, keys });
  await store.commit({ state: stateAt(1), mutations: RECORDS });
  const state = sealedAt(3, { cutover: 2, lock: 3 });
  await store.commit({ state, mutations: [] });
  const copy = await store.copyInto(new SimKv());
  const refusal = { code: "STORE_RECORD_INTEGRITY" };
  await assert.rejects(copy.fill(), refusal);
  await assert.rejects(copy.finish(), refusal);
  await copy.close();
  await store.close();
});

Deno.test("copyInto() that fails keeps no writer waiting", async () => {
  for (let faultAt = 1;; faultAt += 1) {
    const store = await Store.open({ kv: new SimKv(), log });
    await store.commit({ state: stateAt(1), mutations: RECORDS });
    const target = new SimKv({ faultAt, fault: "fail" });
    const copy = await store.copyInto(target, { changedBytesMax: 1 });
    const copying = copy.fill().then(() => copy.finish());
    const outcome = copying.then(() => "done", ({ code }) => code);
    for (let index = 2; index < 5; index += 1) {
      await store.commit({ state: stateAt(index), mutations: RECORDS });
    }
    const told = await outcome;
    await copy.close();
    await store.commit({ state: stateAt(9), mutations: RECORDS });
    await store.close();
    if (told === "done") break;
    assert.equal(told, "STORE_BACKING_FAILED");
    assert.ok(faultAt < 100);
  }
});

Deno.test("copyInto() ends with its store, and one is made at a time", async () => {
  const keys = new TestRecordKeys(CLUSTER);
  const store = await BufferedStore.open({ kv: new SimKv(), log, keys });
  await store.commit({ state: stateAt(1), mutations: RECORDS });
  await store.flush();
  const copy = await store.copyInto(new SimKv(), { changedBytesMax: 1 });
  await copy.fill();
  await assert.rejects(store.copyInto(new SimKv()), { name: "InvariantError" });
  const disk = new SimKvDisk();
  const other = await Store.open({ kv: new SimKv({ disk }), log, keys });
  const state = sealedAt(9, { active: NEXT_KEY });
  await other.commit({ state, mutations: [] });
  await store.replaceWith(other);
  await assert.rejects(copy.finish(), { code: "STORE_CLOSED" });
  const second = await store.copyInto(new SimKv());
  await second.close();
  await assert.rejects(second.fill(), { code: "STORE_CLOSED" });
  await store.close();
});

Deno.test("a half made copy opens as no store", async () => {
  const from = new SimKvDisk();
  const store = await Store.open({ kv: new SimKv({ disk: from }), log });
  await store.commit({ state: stateAt(1), mutations: RECORDS });
  await store.close();
  for (let faultAt = 1; faultAt < 100; faultAt += 1) {
    const source = await Store.open({ kv: new SimKv({ disk: from }), log });
    const disk = new SimKvDisk();
    const fault = "crash-before";
    const copy = await source.copyInto(new SimKv({ disk, faultAt, fault }));
    const outcome = await copy.fill().then(() => copy.finish())
      .then(() => "done", () => "died");
    await source.close();
    const opened = Store.open({ kv: new SimKv({ disk }), log });
    if (outcome === "done") {
      await (await opened).close();
      return;
    }
    if (disk.rows.length === 0) await (await opened).close();
    else await assert.rejects(opened, { code: "STORE_ROW_DAMAGED" });
  }
  assert.fail("it never ends");
});
