/*
 * Goal: from the batch on that brings the storage cutover no record is in
 * cleartext, every record opens, and a record that this node did not seal as it
 * is now is refused, counted and not named by its key.
 * Method: commit, read, look at the rows; change every byte, move rows, take
 * sessions and keys away; on the simulated kv.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { type StoreRecordIntegrityError } from "../../../src/store/errors.ts";
import { Store, type StoreOptions } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { readAll } from "./checkpoint/checkpoint_model.ts";
import { STATE_KEY, STORAGE_KEY } from "./encryption_model.ts";
import {
  canaries,
  CLUSTER_ID,
  CUTOVER,
  putAt,
  rowOf,
  sealedAt,
  sessionRows,
} from "./sealed_model.ts";
import { SILENT_LOG } from "./store_model.ts";
import { TestRecordKeys } from "./test_record_keys.ts";

const ALL = {
  ...{ start: new Uint8Array(0), end: Uint8Array.of(255), limit: 5_000 },
  reverse: false,
};

function open(
  disk: SimKvDisk,
  keys: TestRecordKeys | null = new TestRecordKeys(CLUSTER_ID, 100),
): Promise<Store> {
  const options: StoreOptions = { kv: new SimKv({ disk }), log: SILENT_LOG };
  return Store.open(keys === null ? options : { ...options, keys });
}

async function commit(
  store: Pick<Store, "commit">,
  index: number,
  names: readonly string[],
  options: { readonly bytes?: number; readonly lock?: number } = {},
): Promise<void> {
  const mutations = names.map((name) => putAt(name, index, options));
  await store.commit({ state: sealedAt(index, options), mutations });
}

async function read(store: Pick<Store, "readRecords">, name: string) {
  const key = { database: 1, key: utf8(name) };
  const [record] = await store.readRecords([key]);
  return record ?? null;
}

/** A store of one sealed record "a", of entry 11, and one before it. */
async function oneSealed(keys = new TestRecordKeys(CLUSTER_ID)) {
  const disk = new SimKvDisk();
  const store = await open(disk, keys);
  await commit(store, 9, ["before"]);
  await commit(store, 10, []);
  await commit(store, 11, ["a"]);
  await store.close();
  return { disk, keys };
}

Deno.test("records are sealed from the batch on that brings the cutover", async () => {
  const disk = new SimKvDisk();
  const keys = new TestRecordKeys(CLUSTER_ID);
  const store = await open(disk, keys);
  await commit(store, 1, ["a", "b"]);
  assert.equal(canaries(disk).length, 2);
  assert.equal(sessionRows(disk).length, 0);
  await commit(store, CUTOVER, ["c"]);
  await commit(store, 11, ["a", "d"]);
  assert.deepEqual(canaries(disk), [rowOf(disk, "b")]);
  assert.equal(rowOf(disk, "c").value[1], 1);
  assert.equal(rowOf(disk, "c").value.length, 20 + 21 + 34);
  assert.equal(keys.seals(STORAGE_KEY), 3);
  const [entries] = await store.readRanges(1, [ALL], 0);
  const last = entries!.map(({ value }) => value.data.at(-1));
  assert.deepEqual(last, [11, 1, CUTOVER, 11]);
  const copied = await readAll(await store.checkpoint());
  assert.deepEqual(copied.map(({ value }) => value.data.at(-1)), last);
  await store.close();
});

for (const bytes of [0, 65_481, 65_482, 65_536]) {
  Deno.test(`a sealed value of ${bytes} bytes comes back, by any key`, async () => {
    const disk = new SimKvDisk();
    const store = await open(disk);
    const names = ["short", "k".repeat(1_990), "k".repeat(2_070)];
    await commit(store, 11, names, { bytes });
    await commit(store, 12, ["short"], { bytes });
    assert.equal(canaries(disk).length, 0);
    await store.close();
    const again = await open(disk, new TestRecordKeys(CLUSTER_ID));
    for (const name of names) {
      const { value, versionstamp } = putAt(name, 11, { bytes }).record!;
      const record = await read(again, name);
      const index = name === "short" ? 12 : 11;
      assert.equal(record!.value.data.length, value.data.length);
      assert.equal(record!.value.data.at(-1), bytes === 0 ? 58 : index);
      if (index === 11) assert.deepEqual(record!.versionstamp, versionstamp);
    }
    await again.close();
  });
}

Deno.test("a batch in parts is sealed in its staged rows too", async () => {
  const disk = new SimKvDisk();
  let seen = 0;
  const kv = new SimKv({
    disk,
    pause: () => {
      seen = Math.max(seen, disk.rows.length);
      assert.equal(canaries(disk).length, 0);
      return Promise.resolve();
    },
  });
  const keys = new TestRecordKeys(CLUSTER_ID);
  const store = await Store.open({ kv, log: SILENT_LOG, keys });
  const names = Array.from({ length: 1_200 }, (_, i) => `k${i}`);
  await commit(store, 11, names);
  assert.equal(store.counters.multiPart, 1);
  assert.ok(seen > 1_200);
  const [entries] = await store.readRanges(1, [ALL], 0);
  assert.equal(entries!.length, 1_200);
  await store.close();
});

Deno.test("the sweep removes sealed records", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  const mutations = [
    putAt("a", 11, { expireAtMs: 5 }),
    putAt("b", 11, { expireAtMs: 5, bytes: 65_536 }),
    putAt("c", 11, { expireAtMs: 50 }),
  ];
  await store.commit({ state: sealedAt(11, { clockMs: 10 }), mutations });
  assert.equal((await store.sweep(10, 100)).length, 2);
  assert.deepEqual(disk.rows.filter(({ key }) => key[0] === 1n).length, 1);
  await store.close();
});

Deno.test("a byte changed anywhere is refused, never served", async () => {
  const { disk, keys } = await oneSealed();
  const store = await open(disk, keys);
  const row = rowOf(disk, "a");
  const reasons = new Set<string>();
  for (let at = 0; at < row.value.length; at += 1) {
    for (const bit of [1, 128]) {
      row.value[at]! ^= bit;
      const error = await read(store, "a").then(
        () => assert.fail(`byte ${at}, bit ${bit} is served`),
        (error) => error,
      );
      const isHeader = error.code === "STORE_RECORD_DAMAGED" && at < 2;
      assert.ok(isHeader || error.code === "STORE_RECORD_INTEGRITY", `${at}`);
      reasons.add(error.fault);
      row.value[at]! ^= bit;
    }
  }
  assert.ok(await read(store, "a") !== null);
  for (const fault of ["tag-mismatch", "session-unknown"]) {
    assert.ok(reasons.has(fault), [...reasons].join());
    assert.ok(store.openFailures.get(fault as "tag-mismatch")! > 0);
  }
  assert.ok(reasons.has("envelope-malformed"));
  await store.close();
});

Deno.test("an integrity error names its record by stamp and keyed hash", async () => {
  const { disk, keys } = await oneSealed();
  const store = await open(disk, keys);
  rowOf(disk, "a").value[45]! ^= 1;
  const error = await read(store, "a").catch((error) => error);
  const { message, record, fault } = error as StoreRecordIntegrityError;
  assert.equal(fault, "tag-mismatch");
  assert.equal(record.versionstamp, "0000000000000" + "00b0000");
  assert.equal(record.name, `name-${STATE_KEY}-10`);
  assert.ok(message.includes(record.versionstamp));
  assert.ok(message.includes(record.name));
  assert.deepEqual([...store.openFailures], [["tag-mismatch", 1]]);
  await assert.rejects(store.readRanges(1, [ALL], 0), { fault });
  await assert.rejects(readAll(await store.checkpoint()), { fault });
  assert.deepEqual([...store.openFailures], [["tag-mismatch", 3]]);
  await store.close();
});

Deno.test("a row at another's place or of another cluster is refused", async () => {
  const keys = new TestRecordKeys(CLUSTER_ID);
  const disk = new SimKvDisk();
  const store = await open(disk, keys);
  await commit(store, 11, ["a", "b"]);
  const before = rowOf(disk, "a").value.slice();
  rowOf(disk, "a").value.set(rowOf(disk, "b").value);
  await assert.rejects(read(store, "a"), { fault: "tag-mismatch" });
  rowOf(disk, "a").value.set(before);
  assert.ok(await read(store, "a") !== null);
  await store.close();
  const elsewhere = new TestRecordKeys(CLUSTER_ID.map((byte) => byte ^ 1));
  const foreign = await open(disk, elsewhere);
  await assert.rejects(read(foreign, "a"), { fault: "tag-mismatch" });
  await foreign.close();
});

Deno.test("a record without its session row is refused", async () => {
  const { disk, keys } = await oneSealed();
  disk.rows = disk.rows.filter((row) => !sessionRows(disk).includes(row));
  const store = await open(disk, keys);
  await assert.rejects(read(store, "a"), {
    code: "STORE_RECORD_INTEGRITY",
    fault: "session-unknown",
  });
  await store.close();
});

Deno.test("a record under a key that is gone is refused", async () => {
  const { disk } = await oneSealed();
  const keys = new TestRecordKeys(CLUSTER_ID, 100);
  const store = await open(disk, keys);
  keys.forgotten.add(STORAGE_KEY);
  await assert.rejects(read(store, "a"), {
    code: "STORE_RECORD_INTEGRITY",
    fault: "key-unknown",
  });
  assert.deepEqual([...store.openFailures], [["key-unknown", 1]]);
  keys.forgotten.clear();
  assert.ok(await read(store, "a") !== null);
  await store.close();
});

Deno.test("cleartext above the cutover is refused, below it until the lock", async () => {
  const planted = new SimKvDisk();
  const other = await open(planted, null);
  await commit(other, 9, ["a"]);
  const { disk, keys } = await oneSealed();
  const store = await open(disk, keys);
  assert.ok(await read(store, "before") !== null);
  const row = rowOf(disk, "a");
  // An older record in cleartext is what a rewrite has yet to reach.
  Object.assign(row, { value: rowOf(planted, "a").value });
  assert.equal((await read(store, "a"))!.value.data.at(-1), 9);
  const later = { state: sealedAt(9), mutations: [putAt("a", 11)] };
  await other.commit(later);
  Object.assign(row, { value: rowOf(planted, "a").value });
  await assert.rejects(read(store, "a"), { fault: "cleartext-after-cutover" });
  await commit(store, 12, ["a"], { lock: 12 });
  assert.ok(await read(store, "a") !== null);
  await assert.rejects(read(store, "before"), {
    code: "STORE_RECORD_INTEGRITY",
    fault: "cleartext-after-lock",
  });
  await other.close();
  await store.close();
});

Deno.test("a checkpoint is judged by its own state", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await commit(store, 9, ["a", "b"]);
  await commit(store, 10, []);
  const source = await store.checkpoint();
  await commit(store, 11, ["a", "b"]);
  await commit(store, 12, [], { lock: 12 });
  const records = await readAll(source);
  assert.deepEqual(records.map(({ value }) => value.data.at(-1)), [9, 9]);
  await store.close();
});

Deno.test("a store without keys seals nothing, opens nothing and writes no cleartext", async () => {
  const { disk } = await oneSealed();
  const sealed = { code: "STORE_RECORD_SEALED" };
  const store = await open(disk, null);
  await assert.rejects(read(store, "a"), sealed);
  assert.ok(await read(store, "before") !== null);
  await assert.rejects(commit(store, 12, ["b"]), sealed);
  await assert.rejects(commit(store, 13, []), sealed);
  assert.equal(canaries(disk).length, 1);
  assert.equal(store.state.applied.index, 11);
  await store.close();
});

Deno.test("a refusal beside others ends the read, and nothing else", async () => {
  const { disk, keys } = await oneSealed();
  rowOf(disk, "a").value[45]! ^= 1;
  rowOf(disk, "before").value[25]! ^= 1;
  const store = await open(disk, keys);
  await assert.rejects(store.readRanges(1, [ALL], 0), {
    code: "STORE_RECORD_DAMAGED",
  });
  // What nobody waits for would be reported here.
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.close();
});

Deno.test("a session may be opened while a commit waits for one", async () => {
  const keys = new TestRecordKeys(CLUSTER_ID);
  const disk = new SimKvDisk();
  const kv = new SimKv({ disk });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG, keys });
  let opened = 0;
  keys.beforeOpening = async () => {
    opened += 1;
    const row = { keyId: 5, node16: 1, epoch: opened };
    const salt = new Uint8Array(32).fill(1);
    assert.equal(await store.insertSession({ ...row, salt }), true);
  };
  await commit(store, 11, ["a"]);
  await store.flush();
  keys.renew();
  await commit(store, 12, ["b"]);
  await store.flush();
  assert.equal(opened, 2);
  assert.equal(sessionRows(disk).length, 4);
  assert.ok(await read(store, "a") !== null);
  await store.close();
});

Deno.test("a session that ends in the middle of a batch is followed by another", async () => {
  const keys = new TestRecordKeys(CLUSTER_ID);
  const disk = new SimKvDisk();
  const store = await open(disk, keys);
  const sealing = keys.sealing.bind(keys);
  let seals = 0;
  keys.sealing = (active, insert) => {
    seals += 1;
    if (seals % 3 === 0) keys.renew();
    return sealing(active, insert);
  };
  await commit(store, 11, ["a", "b", "c", "d", "e", "f", "g"]);
  assert.equal(sessionRows(disk).length, 3);
  const [entries] = await store.readRanges(1, [ALL], 0);
  assert.equal(entries!.length, 7);
  await store.close();
});

Deno.test("records go on under the key that became active", async () => {
  const { disk, keys } = await oneSealed();
  const store = await open(disk, keys);
  const mutations = [putAt("b", 12)];
  await store.commit({ state: sealedAt(12, { active: 4_242 }), mutations });
  const keyIdOf = (name: string) =>
    new DataView(rowOf(disk, name).value.buffer).getUint32(23);
  assert.deepEqual([keyIdOf("a"), keyIdOf("b")], [STORAGE_KEY, 4_242]);
  assert.ok(await read(store, "a") !== null && await read(store, "b") !== null);
  await store.close();
});

Deno.test("a store whose sealing fails stores nothing more", async () => {
  const { disk, keys } = await oneSealed();
  const store = await open(disk, keys);
  keys.renew();
  keys.beforeOpening = () => Promise.reject(new Error("no epoch"));
  await assert.rejects(commit(store, 12, ["b"]), /no epoch/);
  keys.beforeOpening = () => {};
  await assert.rejects(commit(store, 13, ["c"]), /no epoch/);
  assert.equal(store.state.applied.index, 11);
  await store.close();
});
