/*
 * Question: what does a record cost in the store, by size of the batch, next to
 * the same sets on a plain Deno KV file in the same run?
 *
 *     deno run -A --unstable-kv bench/store_commit.ts
 */
import { utf8 } from "../src/base/bytes.ts";
import type { Mutation } from "../src/fsm/types.ts";
import { openDenoKv } from "../src/io/deno/kv.ts";
import { EMPTY_STATE } from "../src/store/meta.ts";
import { BufferedStore } from "../src/store/buffered_store.ts";
import { Store } from "../src/store/store.ts";

const RUN_MS = 1_500;
const ROUNDS = 3;
const VALUE_BYTES = 256;
const BATCH_SIZES = [1, 8, 30, 64, 256, 900];

interface Result {
  readonly batch: number;
  readonly storeSetsPerSecond: number;
  readonly bufferedSetsPerSecond: number;
  readonly plainSetsPerSecond: number;
  /** Store to plain. */
  readonly ratio: number;
  readonly storeThreadMicrosPerSet: number;
}

const dir = await Deno.makeTempDir();
const store = await Store.open({
  kv: openDenoKv(`${dir}/store.sqlite`),
  log: { write: () => {} },
});
const buffered = await BufferedStore.open({
  kv: openDenoKv(`${dir}/buffered.sqlite`),
  log: { write: () => {} },
});
const plain = await Deno.openKv(`${dir}/plain.sqlite`);
const value = new Uint8Array(VALUE_BYTES).fill(7);
const versionstamp = new Uint8Array(10);
let index = 0;
let counter = 0;

/** Fresh keys in random order, as a KV Connect client encodes them. */
function name(): string {
  counter += 1;
  const spread = (counter * 2_654_435_761) % 2 ** 32;
  return spread.toString(16).padStart(8, "0");
}

function mutationsOf(batch: number): readonly Mutation[] {
  return Array.from({ length: batch }, () => ({
    database: 1,
    key: utf8(`\x02users\0\x02${name()}\0`),
    record: {
      value: { data: value, encoding: 1 },
      versionstamp,
      expireAtMs: 0,
    },
  }));
}

async function storeRound(batch: number): Promise<readonly [number, number]> {
  let sets = 0;
  let threadMs = 0;
  const from = performance.now();
  while (performance.now() - from < RUN_MS) {
    const mutations = mutationsOf(batch);
    index += 1;
    const applied = { index, term: 1 };
    const before = performance.now();
    const done = store.commit({
      state: { ...EMPTY_STATE, applied },
      mutations,
    });
    // The commit encodes and hands over before its first real wait.
    await Promise.resolve();
    threadMs += performance.now() - before;
    await done;
    sets += batch;
  }
  return [sets / (performance.now() - from) * 1_000, threadMs * 1_000 / sets];
}

/** Until all is stored, not only visible. */
async function bufferedRound(batch: number): Promise<number> {
  let sets = 0;
  const from = performance.now();
  while (performance.now() - from < RUN_MS) {
    index += 1;
    const applied = { index, term: 1 };
    await buffered.commit({
      state: { ...EMPTY_STATE, applied },
      mutations: mutationsOf(batch),
    });
    sets += batch;
  }
  await buffered.flush();
  return sets / (performance.now() - from) * 1_000;
}

async function plainRound(batch: number): Promise<number> {
  let sets = 0;
  const from = performance.now();
  while (performance.now() - from < RUN_MS) {
    let atomic = plain.atomic();
    for (let i = 0; i < batch; i += 1) {
      atomic = atomic.set(["users", name()], value);
    }
    await atomic.commit();
    sets += batch;
  }
  return sets / (performance.now() - from) * 1_000;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const results: Result[] = [];
for (const batch of BATCH_SIZES) {
  const stores: number[] = [];
  const buffereds: number[] = [];
  const plains: number[] = [];
  const threads: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [rate, micros] = await storeRound(batch);
    stores.push(rate);
    threads.push(micros);
    buffereds.push(await bufferedRound(batch));
    plains.push(await plainRound(batch));
  }
  results.push({
    batch,
    storeSetsPerSecond: Math.round(median(stores)),
    bufferedSetsPerSecond: Math.round(median(buffereds)),
    plainSetsPerSecond: Math.round(median(plains)),
    ratio: Number((median(stores) / median(plains)).toFixed(2)),
    storeThreadMicrosPerSet: Number(median(threads).toFixed(2)),
  });
}
await store.close();
await buffered.close();
plain.close();
await Deno.remove(dir, { recursive: true });

// deno-lint-ignore no-console -- a bench prints.
console.table(results);
// deno-lint-ignore no-console -- a bench prints.
console.log(JSON.stringify({ bench: "store_commit", results }));
