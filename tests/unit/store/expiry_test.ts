import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { openDenoKv } from "../../../src/io/deno/kv.ts";
import type { Kv } from "../../../src/io/kv.ts";
import { Store } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { recordOf, SILENT_LOG, stateAt } from "./store_model.ts";

const LONG = new Uint8Array(2_070);

function put(key: Uint8Array, expireAtMs: number, bytes = 3): Mutation {
  const record = recordOf(new Uint8Array(bytes), 1, expireAtMs);
  return { database: 2, key, record };
}

const KVS: readonly (readonly [string, () => Promise<Kv>])[] = [
  ["SimKv", async () => new SimKv()],
  ["DenoKv", () => openDenoKv(":memory:")],
];

for (const [name, make] of KVS) {
  Deno.test(`sweep() removes what expired and names it, on ${name}`, async () => {
    const store = await Store.open({ kv: await make(), log: SILENT_LOG });
    const keys = ["early", "due", "later", "never", "big"].map((text) =>
      utf8(text)
    );
    const [early, due, later, never, big] = keys as [
      Uint8Array,
      ...Uint8Array[],
    ];
    await store.commit({
      state: stateAt(1, 1_000),
      mutations: [
        put(early, 10),
        put(due!, 1_000),
        put(later!, 1_001),
        put(never!, 0),
        put(big!, 11, 65_536),
        put(LONG, 12),
      ],
    });
    assert.equal(await store.nextExpiryMs(), 10);
    const removed = await store.sweep(5_000, 100);
    assert.deepEqual(
      removed.map(({ database, key }) => `${database} ${toHex(key)}`),
      [early, big!, LONG, due!].map((key) => `2 ${toHex(key)}`),
    );
    assert.equal(await store.nextExpiryMs(), 1_001);
    const left = await store.readRecords(
      [...keys, LONG].map((key) => ({ database: 2, key })),
    );
    assert.deepEqual(
      left.map((record) => record !== null),
      [false, false, true, true, false, false],
    );
    assert.deepEqual(await store.sweep(5_000, 100), []);
    await store.close();
  });
}

Deno.test("sweep() never runs ahead of the replicated clock", async () => {
  const store = await Store.open({ kv: new SimKv(), log: SILENT_LOG });
  const mutations = [put(utf8("a"), 50)];
  await store.commit({ state: stateAt(1, 49), mutations });
  assert.deepEqual(await store.sweep(1_000, 10), []);
  await store.commit({ state: stateAt(2, 50), mutations: [] });
  assert.deepEqual(await store.sweep(49, 10), []);
  assert.equal((await store.sweep(50, 10)).length, 1);
  await store.close();
});

Deno.test("sweep() keeps records that were written again", async () => {
  const disk = new SimKvDisk();
  const store = await Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
  const [a, b, c] = [utf8("a"), utf8("b"), utf8("c")];
  const first = [put(a, 10), put(b, 10), put(c, 10)];
  await store.commit({ state: stateAt(1, 100), mutations: first });
  const again = [put(a, 0), put(b, 200), { ...put(c, 0), record: null }];
  await store.commit({ state: stateAt(2, 100), mutations: again });
  assert.equal(await store.nextExpiryMs(), 10, "early until a sweep");
  assert.deepEqual(await store.sweep(100, 10), []);
  assert.equal(await store.nextExpiryMs(), 200);
  const keys = [a, b, c].map((key) => ({ database: 2, key }));
  const [keptA, keptB, goneC] = await store.readRecords(keys);
  assert.ok(keptA !== null && keptB !== null && goneC === null);
  // meta, two records, one expiry row.
  assert.equal(disk.rows.length, 4);
  await store.close();
});

Deno.test("sweep() stops at its limit and goes on where it stopped", async () => {
  const store = await Store.open({ kv: new SimKv(), log: SILENT_LOG });
  const mutations = Array.from(
    { length: 250 },
    (_, i) => put(utf8(`${i}`), 1 + i),
  );
  await store.commit({ state: stateAt(1, 1_000), mutations });
  assert.equal((await store.sweep(1_000, 7)).length, 7);
  assert.equal(await store.nextExpiryMs(), 8);
  assert.equal((await store.sweep(1_000, 1_000)).length, 243);
  assert.equal(await store.nextExpiryMs(), null);
  await store.close();
});

Deno.test("nextExpiryMs() is known after opening again", async () => {
  const disk = new SimKvDisk();
  const open = () => Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
  const store = await open();
  assert.equal(await store.nextExpiryMs(), null);
  const mutations = [put(utf8("a"), 77), put(utf8("b"), 66)];
  await store.commit({ state: stateAt(1), mutations });
  await store.close();
  const again = await open();
  assert.equal(await again.nextExpiryMs(), 66);
  await again.commit({ state: stateAt(2), mutations: [put(utf8("c"), 5)] });
  assert.equal(await again.nextExpiryMs(), 5);
  await again.close();
});

Deno.test("readRanges() reads on past expired records to the limit", async () => {
  const store = await Store.open({ kv: new SimKv(), log: SILENT_LOG });
  const mutations = Array.from(
    { length: 900 },
    (_, i) => put(utf8(String(i).padStart(4, "0")), i % 100 === 99 ? 0 : 10),
  );
  await store.commit({ state: stateAt(1, 100), mutations });
  for (const reverse of [false, true]) {
    const range = { start: utf8("0"), end: utf8("1"), limit: 5, reverse };
    const [found] = await store.readRanges(2, [range], 10);
    assert.equal(found!.length, 5);
    const [all] = await store.readRanges(2, [{ ...range, limit: 1_000 }], 10);
    assert.equal(all!.length, 9);
    const [before] = await store.readRanges(2, [range], 9);
    assert.equal(before!.length, 5);
  }
  await store.close();
});
