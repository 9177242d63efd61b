/*
 * Goal: a session has one salt for ever, durable when its insertion resolves,
 * in whichever store is the current one.
 * Method: insert, twice, beside commits, through crashes and replacements on the
 * simulated kv, and look at what a store opened afterwards has.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { EMPTY_STATE } from "../../../src/store/meta.ts";
import type { SessionRow } from "../../../src/store/session_row.ts";
import { Store } from "../../../src/store/store.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { runCount } from "../../run_count.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { readAll } from "./checkpoint/checkpoint_model.ts";
import { recordOf, SILENT_LOG, stateAt } from "./store_model.ts";

function sessionOf(epoch: number, keyId = 5, salt = epoch): SessionRow {
  return { keyId, node16: 0xd4c0, epoch, salt: new Uint8Array(32).fill(salt) };
}

function open(disk: SimKvDisk): Promise<Store> {
  return Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
}

function put(name: string, index: number, expireAtMs = 0): Mutation {
  const record = recordOf(Uint8Array.of(index), index, expireAtMs);
  return { database: 1, key: utf8(name), record };
}

function many(index: number): readonly Mutation[] {
  return Array.from({ length: 1_100 }, (_, i) => put(`k${i}`, index));
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
}

Deno.test("insertSession() gives a session one salt for ever", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  assert.equal(await store.insertSession(sessionOf(1)), true);
  assert.equal(await store.insertSession(sessionOf(1, 5, 99)), false);
  assert.equal(await store.insertSession(sessionOf(1)), false);
  await store.close();
  const again = await open(disk);
  assert.equal(await again.insertSession(sessionOf(1, 5, 98)), false);
  assert.deepEqual(await again.findSession(sessionOf(1, 5, 97)), sessionOf(1));
  assert.equal(await again.findSession(sessionOf(2)), null);
  await again.close();
});

Deno.test("sessionRows() are in order, however many", async () => {
  const store = await open(new SimKvDisk());
  const sessions = [
    ...Array.from({ length: 1_030 }, (_, i) => sessionOf(i + 1)),
    sessionOf(3, 2 ** 32 - 1),
  ];
  for (const row of sessions.toReversed()) await store.insertSession(row);
  assert.deepEqual(await store.sessionRows(), sessions);
  assert.deepEqual(
    [...await store.highestSessionEpochs()],
    [[5, 1_030], [2 ** 32 - 1, 3]],
  );
  await store.close();
});

Deno.test("a store with nothing but a session opens in the empty state", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await store.insertSession(sessionOf(1));
  await store.close();
  const again = await open(disk);
  assert.deepEqual(again.state, EMPTY_STATE);
  assert.deepEqual(await again.sessionRows(), [sessionOf(1)]);
  await again.commit({ state: stateAt(1), mutations: [put("a", 1)] });
  await again.close();
  const last = await open(disk);
  assert.equal(last.state.applied.index, 1);
  assert.equal((await last.sessionRows()).length, 1);
  await last.close();
});

Deno.test("insertSession() waits for no commit and changes no state", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  const first = store.commit({ state: stateAt(1), mutations: many(1) });
  assert.equal(await store.insertSession(sessionOf(1)), true);
  const died = await open(disk.copy());
  assert.deepEqual(await died.sessionRows(), [sessionOf(1)]);
  assert.equal(died.state.applied.index, 0);
  await died.close();
  await first;
  const second = store.commit({ state: stateAt(2), mutations: many(2) });
  assert.equal(await store.insertSession(sessionOf(2)), true);
  await second;
  assert.equal(store.state.applied.index, 2);
  await store.close();
  const again = await open(disk);
  assert.equal(again.state.applied.index, 2);
  assert.equal((await again.sessionRows()).length, 2);
  await again.close();
});

Deno.test("insertSession() is there when it was acknowledged, whatever dies", async () => {
  for (const fault of ["crash-before", "crash-after", "fail"] as const) {
    const seen = new Set<number>();
    for (let faultAt = 1;; faultAt += 1) {
      const disk = new SimKvDisk();
      const kv = new SimKv({ disk, faultAt, fault });
      const store = await Store.open({ kv, log: SILENT_LOG });
      let done = 0;
      try {
        for (let index = 1; index <= 3; index += 1) {
          const mutations = index === 2 ? many(2) : [put("a", index)];
          await store.commit({ state: stateAt(index), mutations });
          await store.insertSession(sessionOf(index));
          done = index;
        }
      } catch (error) {
        assert.match(`${error}`, /StoreBackingFailedError/);
        await assert.rejects(store.insertSession(sessionOf(9)), {
          code: "STORE_BACKING_FAILED",
        });
      }
      await store.close();
      const again = await open(disk);
      const count = (await again.sessionRows()).length;
      assert.ok(count >= done && count <= again.state.applied.index);
      for (let epoch = 1; epoch <= 3; epoch += 1) {
        const isNew = await again.insertSession(sessionOf(epoch, 5, 50));
        assert.equal(isNew, epoch > count);
      }
      await again.close();
      seen.add(count);
      if (done === 3) break;
    }
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3]);
  }
});

Deno.test("sessions are nobody's records", async () => {
  const store = await open(new SimKvDisk());
  await store.commit({
    state: stateAt(1, 10),
    mutations: [put("a", 1), put("b", 1, 5)],
  });
  for (let epoch = 1; epoch <= 3; epoch += 1) {
    await store.insertSession(sessionOf(epoch));
  }
  const range = {
    ...{ start: new Uint8Array(0), end: Uint8Array.of(255), limit: 100 },
    reverse: false,
  };
  const [entries] = await store.readRanges(1, [range], 0);
  assert.equal(entries!.length, 2);
  assert.equal((await store.sweep(10, 100)).length, 1);
  assert.equal((await readAll(await store.checkpoint())).length, 1);
  assert.equal((await store.sessionRows()).length, 3);
  await store.close();
});

Deno.test("sessionRows() and findSession() refuse damaged rows", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await store.insertSession(sessionOf(1));
  const row = disk.rows.find(({ key }) => key[1] === 9n)!;
  const damaged = { code: "STORE_ROW_DAMAGED", row: "session" };
  row.value[9]! ^= 1;
  await assert.rejects(store.findSession(sessionOf(1)), damaged);
  await assert.rejects(store.sessionRows(), damaged);
  await assert.rejects(store.highestSessionEpochs(), damaged);
  row.value[0] = 2;
  await assert.rejects(store.sessionRows(), {
    code: "STORE_VERSION_UNSUPPORTED",
  });
  await store.close();
});

async function openBuffered(kv: SimKv): Promise<BufferedStore> {
  return await BufferedStore.open({
    ...{ kv, log: SILENT_LOG, clock: new SimClock() },
  });
}

Deno.test("BufferedStore.insertSession() waits for no clock", async () => {
  const disk = new SimKvDisk();
  const store = await openBuffered(new SimKv({ disk }));
  await store.commit({ state: stateAt(1), mutations: [put("a", 1)] });
  assert.equal(await store.insertSession(sessionOf(1)), true);
  assert.equal(await store.insertSession(sessionOf(1, 5, 9)), false);
  assert.equal(store.durable.applied.index, 0);
  const died = await open(disk.copy());
  assert.deepEqual(await died.sessionRows(), [sessionOf(1)]);
  assert.equal(died.state.applied.index, 0);
  await died.close();
  await store.close();
});

Deno.test("replaceWith() brings the sessions of this process along, no others", async () => {
  const before = new SimKvDisk();
  const earlier = await open(before);
  await earlier.insertSession(sessionOf(1));
  await earlier.close();
  const store = await openBuffered(new SimKv({ disk: before }));
  await store.insertSession(sessionOf(2));
  await store.insertSession(sessionOf(3));
  const disk = new SimKvDisk();
  const next = await open(disk);
  await next.commit({ state: stateAt(100), mutations: [] });
  // As a store that was built has it.
  await next.insertSession(sessionOf(2));
  await store.replaceWith(next);
  assert.deepEqual(await store.sessionRows(), [sessionOf(2), sessionOf(3)]);
  assert.equal(await store.insertSession(sessionOf(4)), true);
  assert.deepEqual([...await store.highestSessionEpochs()], [[5, 4]]);
  await store.close();
  const again = await open(disk);
  assert.equal((await again.sessionRows()).length, 3);
  assert.equal(again.state.applied.index, 100);
  await again.close();
});

Deno.test("replaceWith() takes no store with another salt for a session", async () => {
  const store = await openBuffered(new SimKv());
  await store.insertSession(sessionOf(1));
  const next = await open(new SimKvDisk());
  await next.insertSession(sessionOf(1, 5, 99));
  await assert.rejects(store.replaceWith(next), /one salt/);
  await assert.rejects(next.sessionRows(), { code: "STORE_CLOSED" });
  await store.close();
});

Deno.test("replaceWith() leaves the old store when the new one takes no session", async () => {
  const disk = new SimKvDisk();
  const store = await openBuffered(new SimKv({ disk }));
  await store.insertSession(sessionOf(1));
  await store.commit({ state: stateAt(1), mutations: [put("a", 1)] });
  const kv = new SimKv({ faultAt: 1, fault: "fail" });
  const next = Store.open({ kv, log: SILENT_LOG });
  await assert.rejects(store.replaceWith(next), {
    code: "STORE_BACKING_FAILED",
  });
  await store.commit({ state: stateAt(2), mutations: [put("a", 2)] });
  assert.equal(await store.insertSession(sessionOf(2)), true);
  await store.close();
  const again = await open(disk);
  assert.equal(again.state.applied.index, 2);
  assert.equal((await again.sessionRows()).length, 2);
  await again.close();
});

Deno.test("replaceWith() at any moment loses no session", async () => {
  const order = new Set<string>();
  for (let seed = 0; seed < runCount(100); seed += 1) {
    const random = new SimRandom(seed);
    const slow = random.split("pause");
    const disk = new SimKvDisk();
    const pause = () => turns(slow.below(40));
    const store = await openBuffered(new SimKv({ pause }));
    const next = new SimKv({ pause, disk });
    let isReplaced = false;
    const inserting = async () => {
      for (let epoch = 1; epoch <= 6; epoch += 1) {
        await turns(random.below(60));
        assert.equal(await store.insertSession(sessionOf(epoch)), true);
        order.add(`${epoch} ${isReplaced}`);
        // What was acknowledged is found at once, in any store.
        const found = await store.findSession(sessionOf(epoch));
        assert.deepEqual(found, sessionOf(epoch), `seed ${seed}`);
      }
    };
    const replacing = async () => {
      await turns(random.below(1_000));
      await store.replaceWith(Store.open({ kv: next, log: SILENT_LOG }));
      isReplaced = true;
    };
    await Promise.all([inserting(), replacing()]);
    await store.close();
    const again = await open(disk);
    const rows = await again.sessionRows();
    assert.equal(rows.length, 6, `seed ${seed}`);
    await again.close();
  }
  assert.ok(order.has("2 true") && order.has("6 false"), `${[...order]}`);
});
