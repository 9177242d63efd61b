/*
 * Goal: a checkpoint is the store at one index, exactly, whatever is written,
 * deleted, expired or committed in parts while it is read.
 * Method: give a store work in a seeded order without waiting for it, let each
 * backing operation take a seeded number of turns, read checkpoints meanwhile,
 * and compare each with a model of the moment it began. Replay: SEED=42.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import type { Mutation } from "../../../../src/fsm/types.ts";
import type { CheckpointSource } from "../../../../src/store/checkpoint/source.ts";
import { Store } from "../../../../src/store/store.ts";
import { runCount } from "../../../run_count.ts";
import { SimKv } from "../../../sim/io/kv.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { recordOf, SILENT_LOG, stateAt } from "../store_model.ts";
import { plainRecords, readAll, RecordModel } from "./checkpoint_model.ts";

const SEEDS = runCount(60);
const STEPS = 40;
/** Values from 65,512 bytes on have an overflow row. */
const SIZES = [0, 1, 20, 300, 65_511, 65_512, 65_536];

/** Short keys, and long ones that share a prefix: those are told by hashes. */
function keyOf(random: SimRandom): Uint8Array {
  const name = random.below(12);
  if (random.below(4) > 0) return utf8(`k${name}`);
  const key = new Uint8Array(2_050).fill(107);
  key[2_049 - random.below(2)] = name;
  return key;
}

function mutationOf(
  random: SimRandom,
  index: number,
  size: number | null = null,
): Mutation {
  const place = { database: 1 + random.below(3), key: keyOf(random) };
  if (size === null && random.below(4) === 0) return { ...place, record: null };
  const bytes = size ?? SIZES[random.below(SIZES.length)]!;
  const data = new Uint8Array(bytes).fill(index);
  const expireAtMs = random.below(3) === 0 ? 1 + random.below(STEPS) : 0;
  return { ...place, record: recordOf(data, index, expireAtMs) };
}

/** Some of them more than one atomic takes. */
function batchOf(random: SimRandom, index: number): readonly Mutation[] {
  const isBig = random.below(6) === 0;
  const count = isBig ? 14 + random.below(8) : random.below(6);
  const size = isBig ? 65_000 + random.below(537) : null;
  return Array.from({ length: count }, () => mutationOf(random, index, size));
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
}

interface Run {
  readonly store: Store;
  readonly random: SimRandom;
  readonly model: RecordModel;
  readonly work: Promise<unknown>[];
  checkpoints: number;
  /** Old rows that a scan held, at most. */
  preimageBytes: number;
}

async function check(run: Run, index: number): Promise<void> {
  const { store, random, model } = run;
  const expected = plainRecords(model.records());
  const source = await store.checkpoint({
    pageRowsMax: 1 + random.below(6),
    preimageBytesMax: [1, 1_000, 200_000, 2 ** 24][random.below(4)]!,
  });
  assert.equal(source.state.applied.index, index);
  await turns(random.below(300));
  assert.deepEqual(plainRecords(await slowly(run, source)), expected);
  run.checkpoints += 1;
}

function slowly(run: Run, source: CheckpointSource) {
  const { random } = run;
  return readAll({
    ...source,
    async *records() {
      for await (const page of source.records()) {
        if ("preimageBytes" in source) {
          const bytes = source.preimageBytes as number;
          run.preimageBytes = Math.max(run.preimageBytes, bytes);
        }
        yield page;
        await turns(random.below(200));
      }
    },
  });
}

async function runSeed(seed: number): Promise<Run> {
  const random = new SimRandom(seed);
  const slow = random.split("pause");
  const paced = 1 + slow.below(80);
  const kv = new SimKv({ pause: () => turns(slow.below(paced)) });
  const store = await Store.open({ kv, log: SILENT_LOG });
  const run: Run = {
    ...{ store, random, model: new RecordModel(), work: [] },
    ...{ checkpoints: 0, preimageBytes: 0 },
  };
  let reading: Promise<void> | null = null;
  for (let index = 1; index <= STEPS; index += 1) {
    const mutations = batchOf(random, index);
    run.work.push(store.commit({ state: stateAt(index, index), mutations }));
    run.model.apply(mutations);
    if (random.below(5) === 0) {
      run.work.push(store.sweep(index, 100));
      run.model.sweep(index);
    }
    if (reading === null && random.below(4) === 0) {
      reading = check(run, index).finally(() => reading = null);
      run.work.push(reading);
      // It is in line for the writer before anything that follows.
      await turns(4);
    }
    await turns(random.below(2) * random.below(500));
  }
  await Promise.all(run.work);
  await store.close();
  return run;
}

Deno.test(`checkpoint() is the store at one index, in ${SEEDS} orders of events`, async () => {
  const only = Deno.env.get("SEED");
  const seeds = only === undefined
    ? Array.from({ length: SEEDS }, (_, seed) => seed)
    : [Number(only)];
  let checkpoints = 0;
  let withPreimages = 0;
  for (const seed of seeds) {
    try {
      const run = await runSeed(seed);
      checkpoints += run.checkpoints;
      if (run.preimageBytes > 0) withPreimages += 1;
    } catch (cause) {
      throw new Error(`fails with SEED=${seed}`, { cause });
    }
  }
  if (only !== undefined) return;
  assert.ok(checkpoints > SEEDS, `only ${checkpoints} checkpoints`);
  assert.ok(withPreimages > SEEDS / 2, `old rows in only ${withPreimages}`);
});
