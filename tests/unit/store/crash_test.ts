/*
 * Goal: whatever commit of the backing store is the last one before a crash,
 * the store reopens at the state before or after a batch, never between.
 * Method: run the same work on the simulated kv, crashing before or after its
 * nth commit for every n; reopen, compare with the model, redo what is lost,
 * compare again.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { Store } from "../../../src/store/store.ts";
import type { StoreBatch } from "../../../src/store/writer.ts";
import { SimKv, SimKvDisk, type SimKvFault } from "../../sim/io/kv.ts";
import {
  memberOf,
  plain,
  recordOf,
  SILENT_LOG,
  stateAt,
  stateOf,
  StoreModel,
} from "./store_model.ts";

const CLOCK_MS = 5_000;
const FAULTS: readonly SimKvFault[] = ["crash-before", "crash-after"];

interface Step {
  readonly kind: "commit" | "sweep";
  readonly batch: StoreBatch;
}

function batch(index: number, mutations: readonly Mutation[]): Step {
  return {
    kind: "commit",
    batch: { state: stateAt(index, CLOCK_MS), mutations },
  };
}

function sweep(): Step {
  return { kind: "sweep", batch: { state: stateAt(0), mutations: [] } };
}

function put(name: string, index: number, bytes = 20, expireAtMs = 0) {
  const record = recordOf(new Uint8Array(bytes).fill(index), index, expireAtMs);
  return { database: 1, key: utf8(name), record };
}

function remove(name: string): Mutation {
  return { database: 1, key: utf8(name), record: null };
}

/** Carries out `steps`; how many were acknowledged. */
async function run(store: Store, steps: readonly Step[]): Promise<number> {
  let done = 0;
  try {
    for (const { kind, batch } of steps) {
      if (kind === "commit") await store.commit(batch);
      else await store.sweep(CLOCK_MS, 1_000);
      done += 1;
    }
  } catch (error) {
    assert.match(`${error}`, /StoreBackingFailedError/);
  }
  return done;
}

async function assertModel(store: Store, steps: readonly Step[]) {
  const model = new StoreModel();
  const { index } = store.state.applied;
  for (const { batch } of steps) {
    if (batch.state.applied.index <= index) model.apply(batch.mutations);
  }
  const range = {
    start: new Uint8Array(0),
    end: Uint8Array.of(255, 255),
    limit: 1_000_000,
    reverse: false,
  };
  const [got] = await store.readRanges(1, [range], CLOCK_MS);
  assert.deepEqual(plain(got!), plain(model.read(1, range, CLOCK_MS)));
}

/** Rows that only a commit in parts has. */
function countInternal(disk: SimKvDisk): number {
  return disk.rows.filter(({ key }) =>
    key[0] === 0n && (key[1] === 5n || key[1] === 6n)
  ).length;
}

async function survives(
  steps: readonly Step[],
  faultAt: number,
  fault: SimKvFault,
): Promise<boolean> {
  const disk = new SimKvDisk();
  const kv = new SimKv({ disk, faultAt, fault });
  const store = await Store.open({ kv, log: SILENT_LOG });
  const done = await run(store, steps);
  await store.close();
  // Dying again while coming back changes nothing.
  const faulty = {
    kv: new SimKv({ disk, faultAt: 2, fault }),
    log: SILENT_LOG,
  };
  await Store.open(faulty).then((opened) => opened.close(), () => {});
  const again = await Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
  const { index } = again.state.applied;
  const acknowledged = steps.slice(0, done).reduce(
    (max, { batch }) => Math.max(max, batch.state.applied.index),
    0,
  );
  assert.ok(index >= acknowledged, "what was acknowledged is there");
  assert.equal(countInternal(disk), 0, "nothing is left in between");
  await assertModel(again, steps);
  const lost = steps.filter(({ batch }) => batch.state.applied.index > index);
  await run(again, lost);
  await assertModel(again, steps);
  await again.close();
  return done < steps.length;
}

function bigBatch(): Step {
  const mutations: Mutation[] = [];
  for (let i = 0; i < 1_500; i += 1) {
    const name = `k${String(i).padStart(4, "0")}`;
    if (i % 5 === 0) mutations.push(remove(name));
    else if (i % 100 === 1) mutations.push(put(name, 2, 65_536));
    else mutations.push(put(name, 2, 30, i % 7 === 0 ? CLOCK_MS : 0));
  }
  return batch(2, mutations);
}

Deno.test("commit() in parts survives a crash at each of its commits", async () => {
  const steps = [
    batch(1, [
      ...Array.from({ length: 300 }, (_, i) => put(`k0${100 + i}`, 1)),
      put("k0000", 1, 65_536),
    ]),
    bigBatch(),
    sweep(),
    batch(3, [put("k0001", 3), remove("k0002")]),
  ];
  let crashed = 0;
  for (let faultAt = 1;; faultAt += 1) {
    const hits = await Promise.all(
      FAULTS.map((fault) => survives(steps, faultAt, fault)),
    );
    if (!hits.some((hit) => hit)) break;
    crashed += 1;
  }
  assert.ok(crashed >= 11, `only ${crashed} commits`);
});

/** Members after each of five entries; two keep those before. */
function memberSteps(): readonly Step[] {
  const one = new Map([[1, memberOf(1)]]);
  const two = new Map([...one, [2, memberOf(2, "n2:4701")]]);
  const three = new Map([[2, memberOf(2, "n2:4702")], [3, memberOf(3)]]);
  const many = Array.from({ length: 20 }, (_, i) => put(`k${i}`, 4, 65_536));
  return [
    { members: one, mutations: [put("a", 1)] },
    { members: one, mutations: [put("a", 2)] },
    { members: two, mutations: [] },
    { members: three, mutations: many },
    { members: three, mutations: [remove("a")] },
  ].map(({ members, mutations }, i): Step => ({
    kind: "commit",
    batch: { state: stateOf(i + 1, members), mutations },
  }));
}

Deno.test("members are those of the applied index after any crash", async () => {
  const steps = memberSteps();
  const seen = new Set<number>();
  let crashed = 0;
  for (let faultAt = 1; faultAt <= crashed + 1; faultAt += 1) {
    for (const fault of FAULTS) {
      const disk = new SimKvDisk();
      const kv = new SimKv({ disk, faultAt, fault });
      const store = await Store.open({ kv, log: SILENT_LOG });
      const done = await run(store, steps);
      await store.close();
      if (done < steps.length) crashed = faultAt;
      const again = await Store.open({
        kv: new SimKv({ disk }),
        log: SILENT_LOG,
      });
      const { applied, fsm } = again.state;
      const { members } = steps[applied.index - 1]?.batch.state.fsm ??
        stateAt(0).fsm;
      assert.deepEqual(fsm.members, members, `after entry ${applied.index}`);
      seen.add(applied.index);
      await run(again, steps.slice(applied.index));
      assert.deepEqual(again.state, steps.at(-1)?.batch.state);
      await again.close();
      const last = await Store.open({
        kv: new SimKv({ disk }),
        log: SILENT_LOG,
      });
      assert.deepEqual(last.state, steps.at(-1)?.batch.state);
      await last.close();
    }
  }
  assert.ok(crashed >= 8, `only ${crashed} commits`);
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4, 5]);
});

const NAME = fc.constantFrom("a", "b", "b\0", "c", "d".repeat(2_000), "e");
const STEP = fc.oneof(
  { weight: 1, arbitrary: fc.constant("sweep" as const) },
  {
    weight: 4,
    arbitrary: fc.array(
      fc.record({
        name: NAME,
        bytes: fc.constantFrom(1, 65_000, 65_536),
        expireAtMs: fc.constantFrom(0, 0, CLOCK_MS - 1, CLOCK_MS + 1),
        gone: fc.boolean(),
      }),
      { maxLength: 30 },
    ),
  },
);

Deno.test("Store survives a crash anywhere in any run", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(...FAULTS),
      async (parts, faultAt, fault) => {
        let index = 0;
        const steps = parts.map((part) => {
          if (part === "sweep") return sweep();
          index += 1;
          return batch(
            index,
            part.map(({ name, bytes, expireAtMs, gone }) =>
              gone ? remove(name) : put(name, index, bytes, expireAtMs)
            ),
          );
        });
        await survives(steps, faultAt, fault);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("BufferedStore leaves the state after some batch at any crash", async () => {
  const steps = [
    ...Array.from(
      { length: 40 },
      (_, i) => batch(i + 1, [put("same", i + 1, 65_536), put(`k${i}`, i + 1)]),
    ),
  ];
  const found = new Set<number>();
  for (let faultAt = 1; faultAt <= 8; faultAt += 1) {
    for (const fault of FAULTS) {
      const disk = new SimKvDisk();
      const kv = new SimKv({ disk, faultAt, fault });
      const store = await BufferedStore.open({ kv, log: SILENT_LOG });
      for (const { batch } of steps) {
        const [first] = await Promise.allSettled([store.commit(batch)]);
        if (first?.status === "rejected") break;
      }
      const flushed = await store.flush().then(() => true, () => false);
      const { index: durable } = store.durable.applied;
      await store.close();
      const opened = await Store.open({
        kv: new SimKv({ disk }),
        log: SILENT_LOG,
      });
      const { index } = opened.state.applied;
      assert.ok(index >= durable, "what was called durable is there");
      assert.ok(!flushed || index === 40, "all of it after a flush");
      await assertModel(opened, steps);
      found.add(index);
      await opened.close();
    }
  }
  assert.ok(found.size > 3, `only states ${[...found]}`);
});

Deno.test("a failed commit ends all use until the store is opened again", async () => {
  const disk = new SimKvDisk();
  const kv = new SimKv({ disk, faultAt: 2, fault: "fail" });
  const store = await Store.open({ kv, log: SILENT_LOG });
  await store.commit(batch(1, [put("a", 1)]).batch);
  const second = store.commit(batch(2, [put("a", 2)]).batch);
  const third = store.commit(batch(3, [put("a", 3)]).batch);
  const expected = { code: "STORE_BACKING_FAILED" };
  await assert.rejects(second, expected);
  await assert.rejects(third, expected);
  const key = utf8("a");
  await assert.rejects(store.readRecords([{ database: 1, key }]), expected);
  assert.equal(store.state.applied.index, 1);
  await store.close();
  const again = await Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
  assert.equal(again.state.applied.index, 1);
  await again.close();
});

Deno.test("open() refuses a marker whose staged rows are gone", async () => {
  const disk = new SimKvDisk();
  const kv = new SimKv({ disk, faultAt: 5, fault: "crash-after" });
  const store = await Store.open({ kv, log: SILENT_LOG });
  const steps = [bigBatch()];
  await run(store, steps);
  await store.close();
  const staged = disk.rows.findIndex(({ key }) => key[1] === 5n);
  assert.ok(disk.rows.some(({ key }) => key[1] === 6n), "there is a marker");
  disk.rows.splice(staged, 1);
  await assert.rejects(
    Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG }),
    { code: "STORE_ROW_DAMAGED", row: "staged" },
  );
});
