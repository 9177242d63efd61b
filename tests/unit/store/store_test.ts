import { NO_ENCRYPTION, NO_ROLLOUT } from "../../../src/fsm/types.ts";
import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import type { KvKey } from "../../../src/io/kv.ts";
import { encodeKvKey } from "../../../src/io/kv_key.ts";
import { EMPTY_STATE, type StoreState } from "../../../src/store/meta.ts";
import { MEMBERS_KEY } from "../../../src/store/row_key.ts";
import { Store } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import {
  memberOf,
  recordOf,
  SILENT_LOG,
  stateAt,
  stateOf,
} from "./store_model.ts";

function openOn(disk: SimKvDisk): Promise<Store> {
  return Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
}

function put(key: Uint8Array, index: number, bytes = 3): Mutation {
  const data = new Uint8Array(bytes).fill(index);
  return { database: 1, key, record: recordOf(data, index) };
}

Deno.test("open() gives a fresh store the empty state", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  assert.deepEqual(store.state, EMPTY_STATE);
  assert.equal(disk.rows.length, 0);
  await store.close();
});

Deno.test("open() gives back the whole state", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  const databases = new Map([["orders", 2], ["users", 3]]);
  const state: StoreState = {
    applied: { index: 9, term: 4 },
    confState: { ...EMPTY_STATE.confState, voters: [1, 2], autoLeave: true },
    fsm: {
      clockMs: 123,
      clusterId: new Uint8Array(16).fill(7),
      clusterName: "c",
      databases,
      encryption: NO_ENCRYPTION,
      rollout: NO_ROLLOUT,
      members: new Map([[1, memberOf(1)], [2, memberOf(2, "n2:4701")]]),
    },
    encryptionMac: null,
  };
  await store.commit({ state, mutations: [] });
  const more = new Map([...databases, ["late", 4]]);
  const last = { ...state, fsm: { ...state.fsm, databases: more } };
  await store.commit({ state: last, mutations: [] });
  assert.deepEqual(store.state, last);
  await store.close();
  const again = await openOn(disk);
  assert.deepEqual(again.state, last);
  await again.close();
});

Deno.test("open() keeps 10,000 databases in rows of their own", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  const databases = new Map(
    Array.from({ length: 9_999 }, (_, i) => [`database-${i}`, i + 2]),
  );
  const state = { ...EMPTY_STATE, fsm: { ...EMPTY_STATE.fsm, databases } };
  await store.commit({ state, mutations: [] });
  await store.close();
  const again = await openOn(disk);
  assert.deepEqual(again.state.fsm.databases, databases);
  await again.close();
});

const isMembersRow = ({ key }: { key: KvKey }) =>
  toHex(encodeKvKey(key)) === toHex(encodeKvKey(MEMBERS_KEY));

Deno.test("commit() writes members only when they are other ones", async () => {
  const disk = new SimKvDisk();
  const rowOf = () => disk.rows.find(isMembersRow)?.value;
  const members = new Map([[1, memberOf(1)]]);
  const store = await openOn(disk);
  await store.commit({ state: stateAt(1), mutations: [put(utf8("a"), 1)] });
  assert.equal(rowOf(), undefined, "no members, no row");
  await store.commit({ state: stateOf(2, members), mutations: [] });
  const first = rowOf();
  assert.ok(first !== undefined);
  await store.commit({ state: stateOf(3, members), mutations: [] });
  assert.equal(rowOf(), first, "the same members");
  await store.close();
  const again = await openOn(disk);
  const { fsm } = again.state;
  assert.deepEqual(fsm.members, members);
  await again.commit({ state: stateOf(4, fsm.members), mutations: [] });
  assert.equal(rowOf(), first, "the same members as were read");
  await again.commit({ state: stateOf(5, new Map()), mutations: [] });
  assert.notEqual(rowOf(), first, "none of them left");
  assert.equal(again.counters.atomics, 2);
  await again.close();
  const last = await openOn(disk);
  assert.equal(last.state.fsm.members.size, 0);
  await last.close();
});

Deno.test("open() refuses a damaged members row by its name", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  const state = stateOf(1, new Map([[1, memberOf(1)]]));
  await store.commit({ state, mutations: [] });
  await store.close();
  disk.rows.find(isMembersRow)!.value[9]! ^= 1;
  await assert.rejects(openOn(disk), {
    code: "STORE_ROW_DAMAGED",
    row: "members",
  });
});

Deno.test("commit() counts rows of databases and members", async () => {
  const store = await openOn(new SimKvDisk());
  const count = 400;
  const databases = new Map(
    Array.from(
      { length: count },
      (_, i) => [`${i}`.padStart(1_000, "d"), i + 2],
    ),
  );
  const mutations = Array.from({ length: count }, (_, i) => ({
    ...put(utf8("a"), 1, 1_500),
    database: i + 2,
  }));
  const state = stateOf(1, new Map([[1, memberOf(1)]]));
  await store.commit({
    state: { ...state, fsm: { ...state.fsm, databases } },
    mutations,
  });
  assert.equal(store.counters.multiPart, 1);
  await store.close();
});

Deno.test("commit() leaves room for the longest members row", async () => {
  const mutations = Array.from(
    { length: 12 },
    (_, i) => put(utf8(`k${i}`), 1, 64_000),
  );
  const members = new Map([[1, memberOf(1)]]);
  for (const isNew of [false, true]) {
    const store = await openOn(new SimKvDisk());
    const state = isNew ? stateOf(2, members) : stateAt(2);
    const atomics = isNew ? 2 : 1;
    await Promise.all([
      store.commit({ state: stateAt(1), mutations }),
      store.commit({ state, mutations: [] }),
    ]);
    assert.deepEqual(store.counters, { batches: 2, atomics, multiPart: 0 });
    await store.close();
  }
});

Deno.test("open() refuses rows without a meta row", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  await store.commit({ state: stateAt(1), mutations: [put(utf8("a"), 1)] });
  await store.close();
  disk.rows.shift();
  await assert.rejects(openOn(disk), {
    code: "STORE_ROW_DAMAGED",
    row: "meta",
  });
});

Deno.test("open() refuses a later format and changes nothing", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  await store.commit({ state: stateAt(1), mutations: [] });
  await store.close();
  disk.rows[0]!.value[0] = 3;
  const before = disk.commits;
  await assert.rejects(openOn(disk), { code: "STORE_VERSION_UNSUPPORTED" });
  assert.equal(disk.commits, before);
});

Deno.test("open() names a backing store that does not open", async () => {
  const kv = Promise.reject(new Error("no such directory"));
  await assert.rejects(Store.open({ kv, log: SILENT_LOG }), {
    code: "STORE_BACKING_FAILED",
    message: "Cannot open the store as the backing store failed",
  });
});

Deno.test("commit() leaves no overflow row behind, also after opening", async () => {
  const disk = new SimKvDisk();
  const overflowRows = () =>
    disk.rows.filter(({ key }) => key[1] === 3n).length;
  const big = [utf8("a"), utf8("b"), utf8("c"), new Uint8Array(2_070)];
  const store = await openOn(disk);
  const mutations = big.map((key) => put(key, 1, 65_536));
  await store.commit({ state: stateAt(1), mutations });
  assert.equal(overflowRows(), 4);
  await store.commit({ state: stateAt(2), mutations: [put(big[0]!, 2)] });
  assert.equal(overflowRows(), 3);
  await store.close();
  const again = await openOn(disk);
  const rest = [put(big[1]!, 3), { ...put(big[2]!, 3), record: null }];
  await again.commit({
    state: stateAt(3),
    mutations: [...rest, put(big[3]!, 3)],
  });
  assert.equal(overflowRows(), 0);
  await again.close();
});

Deno.test("commit() called again before it resolves shares an atomic", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  const commits = Array.from({ length: 20 }, (_, i) =>
    store.commit({
      state: stateAt(i + 1),
      mutations: [put(utf8("same"), i + 1), put(utf8(`${i}`), i + 1)],
    }));
  await Promise.all(commits);
  assert.deepEqual(store.counters, { batches: 20, atomics: 1, multiPart: 0 });
  assert.equal(disk.commits, 1);
  const [same] = await store.readRecords([
    { database: 1, key: utf8("same") },
  ]);
  assert.equal(same?.versionstamp.at(7), 20, "the last one wins");
  await store.close();
});

Deno.test("commit() passes over no batch that failed", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  const tooLong = put(new Uint8Array(2_071), 1);
  const first = store.commit({ state: stateAt(1), mutations: [tooLong] });
  await assert.rejects(first, { name: "InvariantError" });
  const second = store.commit({ state: stateAt(2), mutations: [] });
  await assert.rejects(second, { name: "InvariantError" });
  assert.equal(disk.commits, 0);
  await store.close();
});

Deno.test("commit() takes what clients may send at most", async () => {
  const store = await openOn(new SimKvDisk());
  // 1,000 mutations of 819,200 bytes in all, keys of 2,070 bytes among them.
  const mutations = Array.from({ length: 1_000 }, (_, i) => {
    const key = new Uint8Array(i < 350 ? 2_070 : 90).fill(i % 2);
    new DataView(key.buffer).setUint32(i < 350 ? 2_066 : 86, i);
    return put(key, 1, 0);
  });
  mutations.push(
    ...Array.from({ length: 12 }, (_, i) => put(utf8(`big${i}`), 1, 65_536)),
  );
  await store.commit({ state: stateAt(1), mutations });
  assert.equal(store.counters.multiPart, 1);
  const records = await store.readRecords(mutations);
  assert.deepEqual(records, mutations.map(({ record }) => record));
  await store.close();
});

Deno.test("readRanges() reads ten points in one backing get", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  await store.commit({ state: stateAt(1), mutations: [put(utf8("3"), 1)] });
  const ranges = Array.from({ length: 10 }, (_, i) => ({
    start: utf8(`${i}`),
    end: utf8(`${i}\0`),
    limit: 1,
    reverse: i % 2 === 0,
  }));
  const before = disk.reads;
  const found = await store.readRanges(1, ranges, 0);
  assert.equal(disk.reads - before, 1);
  assert.deepEqual(found.map(({ length }) => length), [
    ...[0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
  ]);
  await store.close();
});

Deno.test("readRanges() of an unknown database is empty", async () => {
  const store = await openOn(new SimKvDisk());
  const range = {
    start: new Uint8Array(0),
    end: Uint8Array.of(255),
    limit: 1,
    reverse: false,
  };
  assert.deepEqual(await store.readRanges(null, [range, range], 0), [[], []]);
  assert.deepEqual(await store.readRanges(77, [range], 0), [[]]);
  await store.close();
});

Deno.test("a long bucket is read in key order within bounded memory", async () => {
  const store = await openOn(new SimKvDisk());
  const keys = Array.from({ length: 400 }, (_, i) => {
    const key = new Uint8Array(2_070).fill(1);
    new DataView(key.buffer).setUint16(2_068, i * 100);
    return key;
  });
  const mutations = keys.map((key) => put(key, 1));
  await store.commit({ state: stateAt(1), mutations });
  for (const reverse of [false, true]) {
    const ordered = reverse ? keys.toReversed() : keys;
    const range = { start: keys[3]!, end: keys[390]!, limit: 9, reverse };
    const inRange = reverse ? ordered.slice(10, 19) : ordered.slice(3, 12);
    const [found] = await store.readRanges(1, [range], 0);
    assert.deepEqual(found!.map(({ key }) => key), inRange);
  }
  await store.close();
});

Deno.test("close() waits for commits and ends all use", async () => {
  const store = await openOn(new SimKvDisk());
  const commit = store.commit({ state: stateAt(1), mutations: [] });
  const closed = store.close();
  await commit;
  await closed;
  const key = { database: 1, key: utf8("a") };
  await assert.rejects(store.readRecords([key]), { code: "STORE_CLOSED" });
  await assert.rejects(
    store.commit({ state: stateAt(2), mutations: [] }),
    { code: "STORE_CLOSED" },
  );
});

Deno.test("a changed row key is refused in a list", async () => {
  const disk = new SimKvDisk();
  const store = await openOn(disk);
  await store.commit({ state: stateAt(1), mutations: [put(utf8("ab"), 1)] });
  const at = disk.rows.findIndex(({ key }) => key[0] === 1n);
  const key = [1n, utf8("ac")];
  disk.rows[at] = { ...disk.rows[at]!, key, order: encodeKvKey(key) };
  const range = {
    start: utf8("a"),
    end: utf8("b"),
    limit: 9,
    reverse: false,
  };
  await assert.rejects(store.readRanges(1, [range], 0), {
    code: "STORE_RECORD_DAMAGED",
    fault: "wrong checksum",
  });
  await store.close();
});
