/*
 * Goal: the encryption state and its MAC are those of the applied index,
 * whatever dies, and rows that are not are refused.
 * Method: commit states of several sizes on the simulated kv, crashing before or
 * after its nth commit for every n; open what is there, or change its rows
 * first.
 */
import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import { type Mutation, NO_ENCRYPTION } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { EMPTY_STATE, type StoreState } from "../../../src/store/meta.ts";
import { encryptionKey } from "../../../src/store/row_key.ts";
import { Store } from "../../../src/store/store.ts";
import type { StoreBatch } from "../../../src/store/writer.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { SimKv, SimKvDisk, type SimKvFault } from "../../sim/io/kv.ts";
import { readAll } from "./checkpoint/checkpoint_model.ts";
import {
  encryptedAt,
  encryptionOf,
  longEncryptionOf,
  macOf,
} from "./encryption_model.ts";
import {
  memberOf,
  recordOf,
  SILENT_LOG,
  stateAt,
  stateOf,
} from "./store_model.ts";

const FAULTS: readonly SimKvFault[] = ["crash-before", "crash-after"];

function open(disk: SimKvDisk): Promise<Store> {
  return Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
}

function put(name: string, index: number, bytes = 20): Mutation {
  const record = recordOf(new Uint8Array(bytes).fill(index), index);
  return { database: 1, key: utf8(name), record };
}

/** More than one atomic takes. */
function many(index: number): readonly Mutation[] {
  return Array.from({ length: 20 }, (_, i) => put(`k${i}`, index, 65_536));
}

const partsOn = (disk: SimKvDisk) =>
  disk.rows.filter(({ key }) => key[0] === 0n && key[1] === 8n);

/** A store with the state of index 1, closed. */
async function stored(state: StoreState): Promise<SimKvDisk> {
  const disk = new SimKvDisk();
  const store = await open(disk);
  await store.commit({ state, mutations: [put("a", 1)] });
  await store.close();
  return disk;
}

for (const parts of [1, 2, 3, 4]) {
  Deno.test(`open() gives back an encryption state of ${parts} rows`, async () => {
    const state = encryptedAt(5, longEncryptionOf(5, parts));
    const disk = await stored(state);
    assert.equal(partsOn(disk).length, parts);
    const store = await open(disk);
    assert.deepEqual(store.state, state);
    await store.close();
  });
}

Deno.test("open() finds no encryption in a store without its rows", async () => {
  const disk = await stored(stateAt(5));
  assert.equal(partsOn(disk).length, 0);
  const store = await open(disk);
  assert.equal(store.state.fsm.encryption, NO_ENCRYPTION);
  assert.equal(store.state.encryptionMac, null);
  await store.close();
});

Deno.test("commit() writes encryption rows only when they are other ones", async () => {
  const disk = new SimKvDisk();
  const valueOf = () => partsOn(disk)[0]?.value;
  const store = await open(disk);
  const one = encryptedAt(1, encryptionOf(1));
  await store.commit({ state: one, mutations: [] });
  const first = valueOf();
  assert.ok(first !== undefined);
  const same = { ...one, applied: { index: 2, term: 1 } };
  await store.commit({ state: same, mutations: [put("a", 2)] });
  assert.equal(valueOf(), first, "the same state");
  const macOnly = { ...same, encryptionMac: macOf(99) };
  await store.commit({ state: macOnly, mutations: [] });
  assert.notEqual(valueOf(), first, "another MAC");
  await store.close();
  const again = await open(disk);
  const read = valueOf();
  const { state } = again;
  assert.deepEqual(state, macOnly);
  await again.commit({
    state: { ...state, applied: { index: 4, term: 1 } },
    mutations: [],
  });
  assert.equal(valueOf(), read, "the same as was read");
  await again.close();
});

Deno.test("commit() deletes the rows that a shorter state leaves over", async () => {
  const disk = new SimKvDisk();
  const store = await open(disk);
  const counts: number[] = [];
  for (const [i, parts] of [4, 2, 3, 1].entries()) {
    const state = encryptedAt(i + 2, longEncryptionOf(i + 2, parts));
    await store.commit({ state, mutations: [] });
    counts.push(partsOn(disk).length);
  }
  await store.commit({ state: stateAt(6), mutations: [] });
  counts.push(partsOn(disk).length);
  assert.deepEqual(counts, [4, 2, 3, 1, 0]);
  assert.equal(store.counters.atomics, 5);
  await store.close();
  const again = await open(disk);
  assert.deepEqual(again.state, stateAt(6));
  await again.close();
});

Deno.test("commit() takes a MAC exactly with keys", async () => {
  const keys = encryptedAt(1, encryptionOf(1));
  const wrong = [
    { ...keys, encryptionMac: null },
    { ...stateAt(1), encryptionMac: macOf(1) },
  ];
  const store = await open(new SimKvDisk());
  const buffered = await BufferedStore.open({
    ...{ kv: new SimKv(), log: SILENT_LOG },
  });
  for (const state of wrong) {
    const batch = { state, mutations: [] };
    assert.throws(() => store.commit(batch), InvariantError);
    assert.throws(() => buffered.commit(batch), InvariantError);
  }
  await store.close();
  await buffered.close();
});

Deno.test("commit() leaves room for the longest encryption rows", async () => {
  const mutations = Array.from(
    { length: 8 },
    (_, i) => put(`k${i}`, 1, 65_000),
  );
  for (const isNew of [false, true]) {
    const store = await open(new SimKvDisk());
    const state = isNew ? encryptedAt(2, encryptionOf(2)) : stateAt(2);
    const atomics = isNew ? 2 : 1;
    await Promise.all([
      store.commit({ state: stateAt(1), mutations }),
      store.commit({ state, mutations: [] }),
    ]);
    assert.deepEqual(store.counters, { batches: 2, atomics, multiPart: 0 });
    await store.close();
  }
});

Deno.test("commit() puts the longest of all rows into atomics that take them", async () => {
  const ids = Array.from({ length: 1_024 }, (_, i) => i + 1);
  const address = "x".repeat(300);
  const members = new Map(
    Array.from({ length: 32 }, (_, i) => [i + 1, {
      ...memberOf(i + 1, address),
      ...{ clientAddress: address, adminAddress: address },
    }]),
  );
  const state: StoreState = {
    ...encryptedAt(2, longEncryptionOf(2, 4)),
    confState: {
      ...{ voters: ids, votersOutgoing: ids, learners: ids },
      ...{ learnersNext: ids, autoLeave: true },
    },
  };
  const full = { ...state, fsm: { ...state.fsm, members } };
  // Sizes around what is left of an atomic: SimKv refuses one that is too large.
  for (let bytes = 530_000; bytes < 560_000; bytes += 1_000) {
    const disk = new SimKvDisk();
    const store = await open(disk);
    const mutations = Array.from(
      { length: 9 },
      (_, i) => put(`k${i}`, 1, Math.floor(bytes / 9)),
    );
    await store.commit({ state: full, mutations });
    await store.close();
    const again = await open(disk);
    assert.deepEqual(again.state.fsm.encryption, full.fsm.encryption);
    await again.close();
  }
});

const DAMAGES: readonly (readonly [
  what: string,
  expected: string,
  change: (disk: SimKvDisk) => void,
])[] = [
  ["missing", "STORE_ROW_DAMAGED", (disk) => {
    disk.rows = disk.rows.filter((row) => !partsOn(disk).includes(row));
  }],
  ["one missing", "STORE_ROW_DAMAGED", (disk) => {
    disk.rows.splice(disk.rows.indexOf(partsOn(disk)[1]!), 1);
  }],
  ["changed", "STORE_ROW_DAMAGED", (disk) => {
    partsOn(disk)[1]!.value[500]! ^= 1;
  }],
  ["of a later version", "STORE_VERSION_UNSUPPORTED", (disk) => {
    partsOn(disk)[0]!.value[0] = 2;
  }],
];

for (const [what, code, change] of DAMAGES) {
  Deno.test(`open() refuses encryption rows that are ${what}`, async () => {
    const disk = await stored(encryptedAt(2, longEncryptionOf(2, 2)));
    change(disk);
    await assert.rejects(open(disk), { code });
  });
}

Deno.test("open() refuses encryption rows that nothing speaks of", async () => {
  const rows = async (state: StoreState) => (await stored(state)).rows;
  const [with2, without] = await Promise.all([
    rows(encryptedAt(2, longEncryptionOf(2, 2))),
    rows(stateAt(1)),
  ]);
  const isPart = ({ key }: { key: readonly unknown[] }) => key[1] === 8n;
  const refused = async (made: SimKvDisk["rows"]) => {
    const disk = new SimKvDisk();
    disk.rows = made;
    await assert.rejects(open(disk), {
      ...{ code: "STORE_ROW_DAMAGED", row: "encryption state" },
    });
  };
  const parts = with2.filter(isPart);
  // The meta row is the first one.
  await refused([without[0]!, ...parts, ...without.slice(1)]);
  const disk = new SimKvDisk();
  disk.rows = [...with2];
  const kv = new SimKv({ disk });
  const value = parts[0]!.value;
  await kv.commit({ sets: [{ key: encryptionKey(7), value }], deletes: [] });
  await refused(disk.rows);
});

Deno.test("encryption rows are nobody's records", async () => {
  const disk = await stored(encryptedAt(2, longEncryptionOf(2, 3)));
  const store = await open(disk);
  const range = {
    ...{ start: new Uint8Array(0), end: Uint8Array.of(255), limit: 100 },
    reverse: false,
  };
  const [entries] = await store.readRanges(1, [range], 0);
  assert.equal(entries!.length, 1);
  assert.deepEqual(await store.sweep(2 ** 50, 100), []);
  const source = await store.checkpoint();
  assert.equal(source.state.fsm.encryption, store.state.fsm.encryption);
  assert.equal((await readAll(source)).length, 1);
  await store.close();
});

Deno.test("a checkpoint has the state of its index, not a later one", async () => {
  const store = await open(new SimKvDisk());
  const state = encryptedAt(1, encryptionOf(1));
  await store.commit({ state, mutations: [put("a", 1)] });
  // Rows of the state are none that a scan must save: no commit waits for it.
  const source = await store.checkpoint({ preimageBytesMax: 1 });
  for (const index of [2, 3]) {
    await store.commit({
      state: encryptedAt(index, longEncryptionOf(index, 4)),
      mutations: [],
    });
  }
  assert.equal(source.state, state);
  await source.close();
  await store.close();
});

/** Six entries; which of them change encryption, and one goes in parts. */
function steps(): readonly StoreBatch[] {
  const boot = longEncryptionOf(2, 2);
  const rotated = longEncryptionOf(4, 4);
  const members = new Map([[1, memberOf(1)]]);
  const withMembers = (state: StoreState) => ({
    ...state,
    fsm: { ...state.fsm, members },
  });
  return [
    { state: stateOf(1, members), mutations: [put("a", 1)] },
    { state: withMembers(encryptedAt(2, boot)), mutations: [] },
    { state: withMembers(encryptedAt(3, boot, 2)), mutations: [put("a", 3)] },
    { state: withMembers(encryptedAt(4, rotated)), mutations: many(4) },
    {
      state: withMembers(encryptedAt(5, encryptionOf(5))),
      mutations: [put("a", 5)],
    },
    {
      state: withMembers(encryptedAt(6, longEncryptionOf(6, 3))),
      mutations: many(6),
    },
  ];
}

/** What a start finds must be the state after some batch, all of it. */
function assertWhole(found: StoreState, all: readonly StoreBatch[]): void {
  const { index } = found.applied;
  const expected = all[index - 1]?.state ?? EMPTY_STATE;
  assert.deepEqual(found, expected, `after entry ${index}`);
}

Deno.test("the encryption state is that of the applied index after any crash", async () => {
  const all = steps();
  const seen = new Set<number>();
  let crashed = 0;
  for (let faultAt = 1; faultAt <= crashed + 1; faultAt += 1) {
    for (const fault of FAULTS) {
      const disk = new SimKvDisk();
      const kv = new SimKv({ disk, faultAt, fault });
      const store = await Store.open({ kv, log: SILENT_LOG });
      let done = 0;
      try {
        for (const batch of all) {
          await store.commit(batch);
          done += 1;
        }
      } catch (error) {
        assert.match(`${error}`, /StoreBackingFailedError/);
        crashed = faultAt;
      }
      await store.close();
      // Dying again while coming back changes nothing.
      const dying = new SimKv({ disk, faultAt: 1, fault });
      await Store.open({ kv: dying, log: SILENT_LOG })
        .then((opened) => opened.close(), () => {});
      const again = await open(disk);
      assert.ok(again.state.applied.index >= done);
      assertWhole(again.state, all);
      seen.add(again.state.applied.index);
      for (const batch of all.slice(again.state.applied.index)) {
        await again.commit(batch);
      }
      await again.close();
      const last = await open(disk);
      assertWhole(last.state, all);
      assert.equal(last.state.applied.index, 6);
      await last.close();
    }
  }
  assert.ok(crashed >= 12, `only ${crashed} commits`);
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5, 6]);
});

Deno.test("flush() makes an encryption state and its index durable in one", async () => {
  const all = steps();
  const seen = new Set<number>();
  for (const fault of FAULTS) {
    for (let faultAt = 1;; faultAt += 1) {
      const disk = new SimKvDisk();
      const kv = new SimKv({ disk, faultAt, fault });
      const options = { kv, log: SILENT_LOG, clock: new SimClock() };
      const store = await BufferedStore.open(options);
      let flushed = 0;
      try {
        for (const batch of all) {
          await store.commit(batch);
          // As an encryption entry is answered: alone, and durable first.
          const { encryptionMac } = batch.state;
          if (encryptionMac?.[0] !== batch.state.applied.index) continue;
          await store.flush();
          flushed = batch.state.applied.index;
          const died = await open(disk.copy());
          assert.deepEqual(died.state, batch.state);
          await died.close();
        }
      } catch (error) {
        assert.match(`${error}`, /StoreBackingFailedError/);
      }
      await store.close();
      const again = await open(disk);
      assert.ok(again.state.applied.index >= flushed);
      assertWhole(again.state, all);
      seen.add(again.state.applied.index);
      await again.close();
      if (flushed === 6) break;
    }
  }
  assert.deepEqual([...seen].sort(), [0, 2, 3, 4, 5, 6]);
});

Deno.test("BufferedStore keeps changes in one segment within an atomic", async () => {
  const disk = new SimKvDisk();
  const store = await BufferedStore.open({
    ...{ kv: new SimKv({ disk }), log: SILENT_LOG, clock: new SimClock() },
  });
  for (let index = 2; index <= 13; index += 1) {
    const state = encryptedAt(index, longEncryptionOf(index, 4));
    await store.commit({ state, mutations: [put("a", index, 60_000)] });
  }
  await store.flush();
  const { atomics, multiPart } = store.counters;
  assert.ok(atomics > 1 && multiPart === 0, `${atomics}`);
  await store.close();
  const again = await open(disk);
  assert.deepEqual(again.state, encryptedAt(13, longEncryptionOf(13, 4)));
  await again.close();
});
