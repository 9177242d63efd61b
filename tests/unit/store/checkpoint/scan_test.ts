import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import type { Mutation } from "../../../../src/fsm/types.ts";
import { Pace } from "../../../../src/store/checkpoint/pace.ts";
import type { CheckpointScan } from "../../../../src/store/checkpoint/scan.ts";
import { Store } from "../../../../src/store/store.ts";
import { SimClock } from "../../../sim/io/clock.ts";
import { SimKv } from "../../../sim/io/kv.ts";
import { recordOf, SILENT_LOG, stateAt } from "../store_model.ts";
import { readAll } from "./checkpoint_model.ts";

const COUNT = 400;
const VALUE_BYTES = 10_000;

function put(name: number, index: number, bytes = VALUE_BYTES): Mutation {
  const key = utf8(`k${`${name}`.padStart(4, "0")}`);
  const record = recordOf(new Uint8Array(bytes).fill(index), index);
  return { database: 1, key, record };
}

async function filled(kv = new SimKv()): Promise<Store> {
  const store = await Store.open({ kv, log: SILENT_LOG });
  const mutations = Array.from({ length: COUNT }, (_, i) => put(i, 1));
  await store.commit({ state: stateAt(1), mutations });
  return store;
}

/** Lets everything run that waits for nobody. */
function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function overwrite(store: Store, from: number, index: number) {
  const mutations = Array.from({ length: 60 }, (_, i) => put(from + i, index));
  return store.commit({ state: stateAt(index), mutations });
}

Deno.test("checkpoint() holds old rows up to a limit, then lets commits wait", async () => {
  const store = await filled();
  const preimageBytesMax = 500_000;
  const source = await store.checkpoint({ preimageBytesMax });
  const scan = source as CheckpointScan;
  let done = 0;
  const commits = [1, 2, 3, 4, 5].map((i) =>
    overwrite(store, 400 - 60 * i, i + 1).then(() => done += 1)
  );
  await idle();
  assert.equal(done, 1, "rows of the second commit are above the limit");
  // 80 rows are read in one go.
  const slack = 80 * (VALUE_BYTES + 400);
  assert.ok(scan.preimageBytes >= preimageBytesMax);
  assert.ok(scan.preimageBytes < preimageBytesMax + slack);
  const key = { database: 1, key: put(0, 1).key };
  const many = await store.readRecords(Array.from({ length: 25 }, () => key));
  assert.equal(many.length, 25, "nobody is kept from reading meanwhile");
  const records = await readAll(source);
  assert.equal(records.length, COUNT);
  assert.ok(records.every(({ versionstamp }) => versionstamp.at(7) === 1));
  await Promise.all(commits);
  assert.equal(scan.preimageBytes, 0);
  await store.close();
});

Deno.test("close() lets waiting commits go, and frees what was held", async () => {
  const store = await filled();
  const source = await store.checkpoint({ preimageBytesMax: 1 });
  const iterator = source.records()[Symbol.asyncIterator]();
  const commits = [overwrite(store, 340, 2), overwrite(store, 280, 3)];
  await idle();
  assert.equal(store.state.applied.index, 2);
  await source.close();
  await Promise.all(commits);
  assert.equal((source as CheckpointScan).preimageBytes, 0);
  await assert.rejects(iterator.next(), { code: "STORE_CLOSED" });
  await source.close();
  await store.close();
});

Deno.test("checkpoint() ends with its iteration, early or not", async () => {
  const store = await filled();
  const source = await store.checkpoint({ preimageBytesMax: 1 });
  for await (const page of source.records()) {
    assert.ok(page.length > 0);
    break;
  }
  await overwrite(store, 360, 2);
  await overwrite(store, 320, 3);
  assert.equal((source as CheckpointScan).preimageBytes, 0);
  await store.close();
});

Deno.test("checkpoint() waits for the one before", async () => {
  const store = await filled();
  const first = await store.checkpoint();
  let begun = false;
  const second = store.checkpoint().then((source) => {
    begun = true;
    return source;
  });
  await overwrite(store, 0, 2);
  await idle();
  assert.ok(!begun);
  await first.close();
  assert.equal((await second).state.applied.index, 2);
  assert.equal((await readAll(await second)).length, COUNT);
  await store.close();
});

Deno.test("close() of the store ends its checkpoints, read or waiting", async () => {
  let held: Promise<void> | null = null;
  const store = await filled(
    new SimKv({
      pause: async (operation) => {
        if (operation === "list") await held;
      },
    }),
  );
  const reading = await store.checkpoint({ preimageBytesMax: 1 });
  const waiting = store.checkpoint();
  const commits = [overwrite(store, 340, 2), overwrite(store, 280, 3)];
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  const all = readAll(reading);
  await idle();
  const closing = store.close();
  resolve();
  await assert.rejects(all, { code: "STORE_CLOSED" });
  await assert.rejects(waiting, { code: "STORE_CLOSED" });
  await Promise.all(commits);
  await closing;
  await assert.rejects(store.checkpoint(), { code: "STORE_CLOSED" });
});

Deno.test("checkpoint() refuses a damaged record rather than copy it", async () => {
  const kv = new SimKv();
  const store = await filled(kv);
  const row = kv.disk.rows.find(({ key }) => key[0] === 1n)!;
  row.value[30]! ^= 1;
  await assert.rejects(readAll(await store.checkpoint()), {
    code: "STORE_RECORD_DAMAGED",
  });
  // It is closed with that.
  assert.equal((await store.checkpoint()).state.applied.index, 1);
  await store.close();
});

Deno.test("Pace lets so many bytes a second through, and hurries when told", async () => {
  const clock = new SimClock();
  const pace = new Pace(clock, 1_000);
  const never = new Promise<void>(() => {});
  let passed = 0;
  const run = async () => {
    for (let i = 0; i < 3; i += 1) {
      await pace.spend(500, never);
      passed += 1;
    }
  };
  const running = run();
  for (const expected of [0, 1, 2]) {
    await idle();
    assert.equal(passed, expected);
    clock.advance(499);
    await idle();
    assert.equal(passed, expected);
    clock.advance(1);
  }
  await running;
  await pace.spend(1_000_000, Promise.resolve());
  assert.equal(clock.nextAtMs(), null, "no timer is left");
  const next = pace.spend(1_000, never);
  await idle();
  clock.advance(1_000);
  await next;
});

Deno.test("checkpoint() reads faster than its pace while commits wait for it", async () => {
  const clock = new SimClock();
  const store = await filled();
  const pace = new Pace(clock, 1);
  const source = await store.checkpoint({ pace, preimageBytesMax: 1 });
  const all = readAll(source);
  await idle();
  const commits = [overwrite(store, 340, 2), overwrite(store, 280, 3)];
  assert.equal((await all).length, COUNT);
  await Promise.all(commits);
  assert.equal(clock.nextAtMs(), null);
  await store.close();
});

Deno.test("close() ends the wait of a pace", async () => {
  const clock = new SimClock();
  const store = await filled();
  const source = await store.checkpoint({ pace: new Pace(clock, 1) });
  const all = readAll(source);
  await idle();
  await store.close();
  await assert.rejects(all, { code: "STORE_CLOSED" });
  assert.equal(clock.nextAtMs(), null);
});
