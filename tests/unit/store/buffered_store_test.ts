import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { recordOf, SILENT_LOG, stateAt } from "./store_model.ts";

const RANGE = {
  start: utf8("a"),
  end: utf8("z"),
  limit: 3,
  reverse: false,
};

function put(name: string, index: number, bytes = 3, expireAtMs = 0): Mutation {
  const record = recordOf(new Uint8Array(bytes).fill(index), index, expireAtMs);
  return { database: 1, key: utf8(name), record };
}

function remove(name: string): Mutation {
  return { database: 1, key: utf8(name), record: null };
}

/** Above what opening a store takes. */
const HELD_LIST = 100;

/** A store whose backing commits wait until `release` is called. */
async function openHeld() {
  const held = Promise.withResolvers<void>();
  let holding = false;
  const disk = new SimKvDisk();
  const kv = new SimKv({
    disk,
    pause: async (operation) => {
      if (operation === "commit" && holding) await held.promise;
    },
  });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG });
  return {
    store,
    disk,
    hold: () => {
      holding = true;
    },
    release: held.resolve,
  };
}

async function names(store: BufferedStore, reverse = false, limit = 3) {
  const [found] = await store.readRanges(1, [{ ...RANGE, reverse, limit }], 0);
  return found!.map(({ key }) => new TextDecoder().decode(key)).join("");
}

Deno.test("commit() is visible at once and durable later", async () => {
  const { store, disk, hold, release } = await openHeld();
  hold();
  await store.commit({ state: stateAt(1), mutations: [put("b", 1)] });
  assert.equal(disk.commits, 0);
  assert.equal(store.state.applied.index, 1);
  assert.equal(store.durable.applied.index, 0);
  assert.equal(await names(store), "b");
  release();
  await store.flush();
  assert.equal(store.durable.applied.index, 1);
  assert.equal(await names(store), "b");
  await store.close();
});

Deno.test("readRanges() fills its limit past what waiting batches delete", async () => {
  const { store, hold, release } = await openHeld();
  const all = [..."bcdefghij"].map((name) => put(name, 1));
  await store.commit({ state: stateAt(1), mutations: all });
  await store.flush();
  hold();
  const changes = [remove("b"), remove("d"), put("a", 2), put("e", 2)];
  await store.commit({ state: stateAt(2), mutations: changes });
  const look = async () => [
    await names(store),
    await names(store, true),
    await names(store, false, 100),
    await names(store, true, 100),
  ];
  const expected = ["ace", "jih", "acefghij", "jihgfeca"];
  assert.deepEqual(await look(), expected);
  release();
  await store.flush();
  assert.deepEqual(await look(), expected);
  await store.close();
});

Deno.test("readRanges() reads on when batches delete what it is reading", async () => {
  const reading = Promise.withResolvers<void>();
  const turn = Promise.withResolvers<void>();
  let lists = 0;
  const kv = new SimKv({
    pause: async (operation) => {
      if (operation !== "list") return;
      lists += 1;
      if (lists === HELD_LIST) {
        reading.resolve();
        await turn.promise;
      }
    },
  });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG });
  const stored = [..."bcdefgh"].map((name) => put(name, 1));
  await store.commit({ state: stateAt(1), mutations: stored });
  await store.flush();
  lists = HELD_LIST - 1;
  const found = names(store);
  await reading.promise;
  const changes = [remove("b"), remove("c"), ..."xy"].map((change) =>
    typeof change === "string" ? put(change, 2) : change
  );
  await store.commit({ state: stateAt(2), mutations: changes });
  turn.resolve();
  assert.equal(await found, "def");
  assert.ok(lists > HELD_LIST, "it read again");
  await store.close();
});

Deno.test("commit() waits for room when storing falls behind", async () => {
  let held = Promise.withResolvers<void>();
  const pause = (operation: string) =>
    operation === "commit" ? held.promise : Promise.resolve();
  const kv = new SimKv({ pause });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG });
  let index = 0;
  /** Commits until one waits; how many there was room for. */
  const fill = async (): Promise<readonly [number, Promise<void>]> => {
    for (let count = 1;; count += 1) {
      index += 1;
      const mutations = [put(`${index}`, 1, 65_536)];
      const done = store.commit({ state: stateAt(index), mutations });
      const first = await Promise.race([
        done.then(() => "room"),
        new Promise((resolve) => setTimeout(resolve, 0)),
      ]);
      if (first !== "room") return [count, done];
    }
  };
  const [first, waiting] = await fill();
  assert.ok(first > 400 && first < 520, `room for ${first}`);
  held.resolve();
  await waiting;
  await store.flush();
  held = Promise.withResolvers<void>();
  const [second, waitingAgain] = await fill();
  assert.equal(second, first, "as much room as before");
  held.resolve();
  await waitingAgain;
  await store.flush();
  assert.ok(store.counters.atomics < index / 8, "large atomics");
  await store.close();
});

Deno.test("nextExpiryMs() counts what is not stored yet", async () => {
  const { store, hold, release } = await openHeld();
  hold();
  await store.commit({
    state: stateAt(1, 100),
    mutations: [put("b", 1, 3, 40), put("c", 1, 3, 30)],
  });
  assert.equal(await store.nextExpiryMs(), 30);
  release();
  await store.flush();
  assert.equal(await store.nextExpiryMs(), 30);
  assert.equal((await store.sweep(100, 10)).length, 2);
  assert.equal(await store.nextExpiryMs(), null);
  await store.close();
});

Deno.test("a failure to store ends all use", async () => {
  const kv = new SimKv({ faultAt: 1, fault: "fail" });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG });
  await store.commit({ state: stateAt(1), mutations: [put("b", 1)] });
  const failed = { code: "STORE_BACKING_FAILED" };
  await assert.rejects(store.flush(), failed);
  await assert.rejects(names(store), failed);
  await assert.rejects(
    store.commit({ state: stateAt(2), mutations: [] }),
    failed,
  );
  assert.equal(store.durable.applied.index, 0);
  await store.close();
});

Deno.test("close() stores what waits", async () => {
  const disk = new SimKvDisk();
  const open = () =>
    BufferedStore.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
  const store = await open();
  await store.commit({ state: stateAt(5), mutations: [put("b", 1)] });
  await store.close();
  const again = await open();
  assert.equal(again.state.applied.index, 5);
  assert.equal(await names(again), "b");
  await again.close();
});

Deno.test("readRecords() keeps what another reader held in the overlay", async () => {
  const gets: (() => void)[] = [];
  let holding = false;
  const kv = new SimKv({
    disk: new SimKvDisk(),
    pause: async (operation) => {
      if (operation !== "get" || !holding) return;
      await new Promise<void>((resolve) => gets.push(resolve));
    },
  });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG });
  const key = (name: string) => ({ database: 1, key: utf8(name) });
  holding = true;
  const first = store.readRecords([key("x")]);
  await store.commit({ state: stateAt(1), mutations: [put("b", 1)] });
  await store.flush();
  // "b" is stored, and in the overlay as long as the first reader is there.
  const second = store.readRecords([key("b"), key("y")]);
  gets[0]!();
  await first;
  gets[1]!();
  const [b, y] = await second;
  assert.deepEqual(b?.versionstamp, recordOf(utf8(""), 1).versionstamp);
  assert.equal(y, null);
  await store.close();
});

Deno.test("commit() waits a while for company before it is stored", async () => {
  const clock = new SimClock();
  const disk = new SimKvDisk();
  const store = await BufferedStore.open({
    kv: new SimKv({ disk }),
    log: SILENT_LOG,
    clock,
  });
  await store.commit({ state: stateAt(1), mutations: [put("b", 1)] });
  await clock.run(99);
  await store.commit({ state: stateAt(2), mutations: [put("c", 2)] });
  assert.equal(store.durable.applied.index, 0);
  await clock.run(1);
  assert.equal(store.durable.applied.index, 2);
  assert.equal(store.counters.atomics, 1);
  await store.commit({ state: stateAt(3), mutations: [put("d", 3)] });
  await store.flush();
  assert.equal(store.durable.applied.index, 3);
  await store.close();
});
