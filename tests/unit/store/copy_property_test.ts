/*
 * Goal: a finished copy has every row of its store, whatever was written,
 * deleted, expired, sealed anew or committed in parts while it was filled.
 * Method: give a store work in a seeded order without waiting for it, let each
 * backing operation take a seeded number of turns, copy meanwhile, and compare
 * all rows. Replay: SEED=42.
 */
import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { encodeKvKey } from "../../../src/io/kv_key.ts";
import { Store } from "../../../src/store/store.ts";
import { runCount } from "../../run_count.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { recordOf, SILENT_LOG, stateAt } from "./store_model.ts";

const SEEDS = runCount(30);
const STEPS = 40;
/** Values from 65,512 bytes on have an overflow row. */
const SIZES = [0, 1, 20, 300, 65_511, 65_512, 65_536];

function mutationOf(
  random: SimRandom,
  index: number,
  size: number | null = null,
): Mutation {
  const key = random.below(4) > 0
    ? utf8(`k${random.below(20)}`)
    : new Uint8Array(2_050).fill(random.below(5));
  const place = { database: 1 + random.below(3), key };
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

function rowsOf(disk: SimKvDisk): readonly string[] {
  return disk.rows.map(({ key, value }) =>
    `${toHex(encodeKvKey(key)).slice(0, 60)} ${value.length} ${
      toHex(value.subarray(0, 60))
    }`
  );
}

/** Does a seeded piece of work, and waits for none of it. */
function work(store: Store, random: SimRandom, index: number) {
  const mutations = batchOf(random, index);
  const done: Promise<unknown>[] = [
    store.commit({ state: stateAt(index, index), mutations }),
  ];
  if (random.below(5) === 0) done.push(store.sweep(index, 100));
  if (random.below(5) === 0) {
    const options = { after: null, rowsMax: 100, bytesMax: 200_000 };
    done.push(store.rewriteStep({ ...options, isStale: () => true }));
  }
  if (random.below(8) === 0) {
    const session = { keyId: 1 + random.below(9), node16: 1, epoch: index };
    done.push(
      store.insertSession({ ...session, salt: new Uint8Array(32).fill(index) }),
    );
  }
  return done;
}

/** How many rows were copied more than once. */
async function runSeed(seed: number): Promise<number> {
  const random = new SimRandom(seed);
  const slow = random.split("pause");
  const paced = 1 + slow.below(80);
  const pause = () => turns(slow.below(paced));
  const [from, to] = [new SimKvDisk(), new SimKvDisk()];
  const kv = new SimKv({ disk: from, pause });
  const store = await Store.open({ kv, log: SILENT_LOG });
  const done: Promise<unknown>[] = [];
  const begin = async () => {
    const copy = await store.copyInto(new SimKv({ disk: to, pause }), {
      pageRows: 1 + random.below(6),
      changedBytesMax: [1, 3_000, 2 ** 22][random.below(3)]!,
    });
    await copy.fill();
    return copy;
  };
  const at = random.below(STEPS);
  let copying: ReturnType<typeof begin> | null = null;
  for (let index = 1; index <= STEPS; index += 1) {
    if (index === at + 1) done.push(copying = begin());
    done.push(...work(store, random, index));
    await turns(random.below(2) * random.below(500));
  }
  await Promise.all(done);
  const copy = (await copying)!;
  // In line before it, and not waited for.
  const last = work(store, random, STEPS + 1);
  await copy.finish();
  await Promise.all(last);
  assert.deepEqual(rowsOf(to), rowsOf(from));
  const again = copy.rows - to.rows.length;
  await store.close();
  const reopened = await Store.open({
    ...{ kv: new SimKv({ disk: to }), log: SILENT_LOG },
  });
  assert.equal(reopened.state.applied.index, STEPS + 1);
  await reopened.close();
  return again;
}

Deno.test(`copyInto() copies all rows, in ${SEEDS} orders of events`, async () => {
  const only = Deno.env.get("SEED");
  const seeds = only === undefined
    ? Array.from({ length: SEEDS }, (_, seed) => seed)
    : [Number(only)];
  let withChanges = 0;
  for (const seed of seeds) {
    try {
      if (await runSeed(seed) > 0) withChanges += 1;
    } catch (cause) {
      throw new Error(`fails with SEED=${seed}`, { cause });
    }
  }
  if (only !== undefined) return;
  assert.ok(withChanges > SEEDS / 2, `changed rows in only ${withChanges}`);
});
