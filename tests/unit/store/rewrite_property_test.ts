/*
 * Goal: nobody who reads, writes, sweeps, counts or takes a checkpoint notices
 * that records are sealed anew, and at the end none is stale.
 * Method: do all of it at once in a seeded order, the key rotating, each backing
 * operation taking a seeded number of turns; most records have overflow parts,
 * of which two states would not fit together. Replay: SEED=42.
 */
import assert from "node:assert/strict";
import { STORAGE_KEY } from "./encryption_model.ts";
import { Store } from "../../../src/store/store.ts";
import { runCount } from "../../run_count.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { SimRandom } from "../../sim/io/random.ts";
import {
  plainRecords,
  readAll,
  RecordModel,
} from "./checkpoint/checkpoint_model.ts";
import {
  canaryOf,
  CLUSTER,
  NEXT_KEY,
  rewriteAll,
  sealedAt,
} from "./rewrite_model.ts";
import { SILENT_LOG, stateAt } from "./store_model.ts";
import { TestRecordKeys } from "./test_record_keys.ts";

const SEEDS = runCount(20);
const KEYS = 12;
const SIZES = [10, 65_490, 65_512, 65_536];
const CUTOVER = 2;
const ROTATION = 20;
const STEPS = 30;

function stateOf(index: number) {
  if (index < CUTOVER) return stateAt(index, index);
  const active = index < ROTATION ? STORAGE_KEY : NEXT_KEY;
  return sealedAt(index, { cutover: CUTOVER, active });
}

function change(random: SimRandom, index: number) {
  const bytes = SIZES[random.below(SIZES.length)]!;
  const mutation = canaryOf(`k${random.below(KEYS)}`, index, {
    ...{ bytes, expireAtMs: random.below(4) === 0 ? index + 3 : 0 },
  });
  return random.below(5) === 0 ? { ...mutation, record: null } : mutation;
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
}

/** Lets what waits for other threads, as sealing does, go on. */
async function rest(random: SimRandom): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await turns(random.below(300));
}

interface Run {
  readonly store: Store;
  readonly random: SimRandom;
  isOver: boolean;
  rewritten: number;
}

async function rewriteOften(run: Run): Promise<void> {
  while (!run.isOver) {
    const active = run.store.state.fsm.encryption.active.storage;
    const limits = { rowsMax: 1 + run.random.below(6), bytesMax: 200_000 };
    for (const { rewritten } of await rewriteAll(run.store, active, limits)) {
      run.rewritten += rewritten;
    }
    await rest(run.random);
  }
}

async function readOften(run: Run): Promise<void> {
  const { store, random } = run;
  const all = Array.from({ length: KEYS }, (_, i) => canaryOf(`k${i}`, 0));
  const range = {
    ...{ start: new Uint8Array([0]), end: new Uint8Array([255]) },
    ...{ limit: KEYS, reverse: random.below(2) === 0 },
  };
  while (!run.isOver) {
    await store.readRecords(all);
    await store.readRanges(1, [range], 0);
    await store.countRecords();
    await rest(random);
  }
}

async function runSeed(seed: number): Promise<Run> {
  const random = new SimRandom(seed);
  const slow = random.split("pause");
  const paced = 1 + slow.below(60);
  const disk = new SimKvDisk();
  const kv = new SimKv({ disk, pause: () => turns(slow.below(paced)) });
  const keys = new TestRecordKeys(CLUSTER);
  const store = await Store.open({ kv, log: SILENT_LOG, keys });
  const run: Run = { store, random, isOver: false, rewritten: 0 };
  const model = new RecordModel();
  const apply = async (index: number, count: number) => {
    const mutations = Array.from(
      { length: count },
      () => change(random, index),
    );
    model.apply(mutations);
    await store.commit({ state: stateOf(index), mutations });
  };
  await apply(1, 30);
  const others = [rewriteOften(run), readOften(run), readOften(run)];
  for (let index = 2; index <= STEPS; index += 1) {
    await apply(index, random.below(3));
    if (random.below(5) === 0) {
      await store.sweep(index, 100);
      model.sweep(index);
    }
    if (random.below(4) === 0) {
      const source = await store.checkpoint({ pageRowsMax: 2 });
      const expected = plainRecords(model.records());
      await turns(random.below(300));
      assert.deepEqual(plainRecords(await readAll(source)), expected);
    }
    await turns(random.below(2) * random.below(500));
  }
  run.isOver = true;
  await Promise.all(others);
  await rewriteAll(store, NEXT_KEY);
  const records = await readAll(await store.checkpoint());
  assert.deepEqual(plainRecords(records), plainRecords(model.records()));
  const sealed = new Map([[NEXT_KEY, records.length]]);
  assert.deepEqual(await store.countRecords(), { cleartext: 0, sealed });
  await store.close();
  return run;
}

Deno.test(`rewriteStep() is noticed by nobody, in ${SEEDS} orders of events`, async () => {
  const only = Deno.env.get("SEED");
  const seeds = only === undefined
    ? Array.from({ length: SEEDS }, (_, seed) => seed)
    : [Number(only)];
  for (const seed of seeds) {
    try {
      const { rewritten } = await runSeed(seed);
      assert.ok(rewritten > 0, `${rewritten} sealed anew`);
    } catch (cause) {
      throw new Error(`fails with SEED=${seed}`, { cause });
    }
  }
});
