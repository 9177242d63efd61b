/*
 * Goal: a store that is replaced under readers shows each of them the old one
 * or the new one, never both, and everything is the new one's after that.
 * Method: let each backing operation take a seeded number of turns, read all
 * the time, replace at any moment.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { Store } from "../../../src/store/store.ts";
import { runCount } from "../../run_count.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { SimKv } from "../../sim/io/kv.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { recordOf, SILENT_LOG, stateAt } from "./store_model.ts";

const KEYS = 40;
const OLD = 1;
const NEW = 100;
const RANGE = {
  start: utf8("k"),
  end: utf8("l"),
  limit: 1_000,
  reverse: false,
};

function put(name: number, index: number, expireAtMs = 0): Mutation {
  const key = utf8(`k${`${name}`.padStart(3, "0")}`);
  const record = recordOf(Uint8Array.of(index), index, expireAtMs);
  return { database: 1, key, record };
}

function all(index: number, expireAtMs = 0): readonly Mutation[] {
  return Array.from({ length: KEYS }, (_, i) => put(i, index, expireAtMs));
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
}

async function newStore(kv: SimKv): Promise<Store> {
  const store = await Store.open({ kv, log: SILENT_LOG });
  await store.commit({
    state: stateAt(NEW, NEW),
    mutations: all(NEW, 777).slice(0, KEYS - 5),
  });
  return store;
}

/** The states that one read saw, by index; counts what it found. */
async function readOnce(store: BufferedStore, random: SimRandom) {
  if (random.below(2) === 0) {
    const [entries] = await store.readRanges(1, [RANGE], 0);
    const seen = new Set(entries!.map(({ value }) => value.data[0]!));
    return { seen, count: entries!.length };
  }
  const records = await store.readRecords(all(0));
  const found = records.filter((record) => record !== null);
  const seen = new Set(found.map(({ value }) => value.data[0]!));
  return { seen, count: found.length };
}

async function runSeed(seed: number): Promise<ReadonlySet<number>> {
  const random = new SimRandom(seed);
  const slow = random.split("pause");
  const open = () => new SimKv({ pause: () => turns(slow.below(40)) });
  // With a clock that stands still, what follows a flush stays in the overlay.
  const clock = random.below(2) === 0 ? { clock: new SimClock() } : {};
  const options = { kv: open(), log: SILENT_LOG, ...clock };
  const store = await BufferedStore.open(options);
  await store.commit({ state: stateAt(OLD), mutations: all(OLD) });
  if (random.below(2) === 0) await store.flush();
  const next = newStore(open());
  const indexes = new Set<number>();
  let isOver = false;
  const reader = async () => {
    let wasNew = false;
    while (!isOver) {
      const { seen, count } = await readOnce(store, random);
      assert.equal(seen.size, 1, `one read saw ${[...seen]}`);
      const [index] = [...seen];
      assert.equal(count, index === NEW ? KEYS - 5 : KEYS);
      assert.ok(!wasNew || index === NEW, "what was replaced came back");
      wasNew = index === NEW;
      indexes.add(index!);
      await turns(random.below(20));
    }
  };
  const readers = [reader(), reader(), reader()];
  // Overwritten, and only in the overlay when the store goes.
  const later = store.commit({ state: stateAt(2), mutations: all(2) });
  await later;
  await turns(random.below(400));
  const replacing = store.replaceWith(next);
  await turns(random.below(200));
  await replacing;
  assert.equal(store.state.applied.index, NEW);
  assert.equal(store.durable.applied.index, NEW);
  assert.equal(store.nextExpiryMs(), 777);
  await turns(200);
  isOver = true;
  await Promise.all(readers);
  assert.ok(indexes.has(NEW));
  await store.commit({
    state: stateAt(NEW + 1, 800),
    mutations: [put(39, NEW)],
  });
  await store.flush();
  assert.equal(store.durable.applied.index, NEW + 1);
  assert.equal((await store.sweep(800, 100)).length, KEYS - 5);
  await store.close();
  return indexes;
}

Deno.test("replaceWith() shows each reader one of the two stores", async () => {
  const seen = new Map<number, number>();
  const seeds = runCount(100);
  for (let seed = 0; seed < seeds; seed += 1) {
    try {
      for (const index of await runSeed(seed)) {
        seen.set(index, (seen.get(index) ?? 0) + 1);
      }
    } catch (cause) {
      throw new Error(`fails with seed ${seed}`, { cause });
    }
  }
  assert.ok((seen.get(2) ?? 0) > seeds / 4, `${[...seen]}`);
  assert.equal(seen.get(NEW), seeds);
});

Deno.test("replaceWith() changes nothing when the new store does not open", async () => {
  const store = await BufferedStore.open({ kv: new SimKv(), log: SILENT_LOG });
  await store.commit({ state: stateAt(1), mutations: all(OLD) });
  const opening = Store.open({
    kv: Promise.reject(new Error("no disk")),
    log: SILENT_LOG,
  });
  await assert.rejects(store.replaceWith(opening), {
    code: "STORE_BACKING_FAILED",
  });
  await store.commit({ state: stateAt(2), mutations: all(2) });
  await store.flush();
  assert.equal(store.durable.applied.index, 2);
  await store.close();
});

Deno.test("replaceWith() waits for no clock and no checkpoint", async () => {
  const clock = new SimClock();
  const kv = new SimKv();
  const store = await BufferedStore.open({ kv, log: SILENT_LOG, clock });
  await store.commit({ state: stateAt(1), mutations: all(OLD) });
  await store.flush();
  const options = { flush: true, preimageBytesMax: 1 };
  const source = await store.checkpoint(options);
  const waiting = store.checkpoint();
  await store.commit({ state: stateAt(2), mutations: all(2).slice(0, 20) });
  await store.flush();
  // The next atomic waits for the checkpoint, which nobody reads.
  await store.commit({ state: stateAt(3), mutations: all(3).slice(20) });
  const flushing = store.flush();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(store.durable.applied.index, 2);
  await store.replaceWith(newStore(new SimKv()));
  assert.equal(store.durable.applied.index, NEW);
  await assert.rejects(
    source.records()[Symbol.asyncIterator]().next(),
    { code: "STORE_CLOSED" },
  );
  await assert.rejects(waiting, { code: "STORE_CLOSED" });
  await flushing;
  assert.equal(clock.nextAtMs(), null, "no timer is left");
  const fresh = await store.checkpoint();
  assert.equal(fresh.state.applied.index, NEW);
  await store.close();
});

Deno.test("replaceWith() frees a store that has failed", async () => {
  const kv = new SimKv({ faultAt: 1, fault: "fail" });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG });
  await store.commit({ state: stateAt(1), mutations: all(OLD, 5) });
  await assert.rejects(store.flush(), { code: "STORE_BACKING_FAILED" });
  await store.replaceWith(newStore(new SimKv()));
  assert.equal(store.nextExpiryMs(), 777);
  await store.commit({ state: stateAt(NEW + 1), mutations: [] });
  await store.flush();
  await store.close();
});

Deno.test("checkpoint() is of the durable state, or of all when it flushes", async () => {
  const clock = new SimClock();
  const kv = new SimKv();
  const store = await BufferedStore.open({ kv, log: SILENT_LOG, clock });
  await store.commit({ state: stateAt(1), mutations: all(OLD) });
  await store.flush();
  await store.commit({ state: stateAt(2), mutations: all(2) });
  for (const flush of [false, true]) {
    const source = await store.checkpoint({ flush });
    const index = flush ? 2 : 1;
    assert.equal(source.state.applied.index, index);
    for await (const page of source.records()) {
      assert.ok(page.every(({ value }) => value.data[0] === index));
    }
  }
  await store.close();
});

Deno.test("readRanges() that must look again stays with the store it began with", async () => {
  const held = Promise.withResolvers<void>();
  let isHolding = false;
  const kv = new SimKv({
    pause: async (operation) => {
      if (operation === "list" && isHolding) await held.promise;
    },
  });
  const store = await BufferedStore.open({
    ...{ kv, log: SILENT_LOG, clock: new SimClock() },
  });
  await store.commit({ state: stateAt(OLD), mutations: all(OLD) });
  await store.flush();
  const next = await newStore(new SimKv());
  isHolding = true;
  const reading = store.readRanges(1, [{ ...RANGE, limit: 2 }], 0);
  const gone = Array.from({ length: 20 }, (_, i) => ({
    ...put(i, 2),
    record: null,
  }));
  await store.commit({ state: stateAt(2), mutations: gone });
  const replacing = store.replaceWith(next);
  await turns(500);
  assert.equal(store.state.applied.index, NEW, "new readers need not wait");
  const [fresh] = await store.readRanges(1, [RANGE], 0);
  assert.equal(fresh!.length, KEYS - 5);
  held.resolve();
  const [found] = await reading;
  assert.deepEqual(found!.map(({ value }) => value.data[0]), [OLD, OLD]);
  await replacing;
  await store.close();
});
