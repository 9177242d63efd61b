/*
 * Question: how long do copying, verifying and building a checkpoint take, and
 * what does a copy under way cost those who write?
 *
 *     deno run -A --unstable-kv bench/checkpoint.ts
 */
import { utf8 } from "../src/base/bytes.ts";
import type { Mutation } from "../src/fsm/types.ts";
import { denoClock } from "../src/io/deno/clock.ts";
import { openDenoDisk } from "../src/io/deno/disk.ts";
import { openDenoKv } from "../src/io/deno/kv.ts";
import { denoRandom } from "../src/io/deno/random.ts";
import { buildStore } from "../src/store/checkpoint/build.ts";
import {
  readCheckpoint,
  verifyCheckpoint,
} from "../src/store/checkpoint/read.ts";
import { Pace } from "../src/store/checkpoint/pace.ts";
import { writeCheckpointFile } from "../src/store/checkpoint/write.ts";
import { EMPTY_STATE } from "../src/store/meta.ts";
import { Store } from "../src/store/store.ts";

const RECORDS = 100_000;
const VALUE_BYTES = 256;
const BATCH = 64;
const LOAD_MS = 3_000;
const ROUNDS = 3;
const MIB = 2 ** 20;

const dir = await Deno.makeTempDir();
const disk = openDenoDisk();
const random = denoRandom();
const clock = denoClock();
const value = new Uint8Array(VALUE_BYTES).fill(7);
let index = 0;

function mutationOf(number: number): Mutation {
  const name = number.toString().padStart(8, "0");
  return {
    database: 1,
    key: utf8(`\x02users\0\x02${name}\0`),
    record: {
      value: { data: value, encoding: 1 },
      versionstamp: new Uint8Array(10),
      expireAtMs: 0,
    },
  };
}

async function commit(store: Store, numbers: readonly number[]): Promise<void> {
  index += 1;
  const state = { ...EMPTY_STATE, applied: { index, term: 1 } };
  await store.commit({ state, mutations: numbers.map(mutationOf) });
}

async function fill(store: Store): Promise<void> {
  for (let at = 0; at < RECORDS; at += 500) {
    await commit(store, Array.from({ length: 500 }, (_, i) => at + i));
  }
}

async function timed<T>(task: () => Promise<T>): Promise<readonly [number, T]> {
  const from = performance.now();
  const result = await task();
  return [(performance.now() - from) / 1_000, result];
}

async function copy(store: Store, name: string, bytesPerSecond?: number) {
  const source = await store.checkpoint(
    bytesPerSecond === undefined
      ? {}
      : { pace: new Pace(clock, bytesPerSecond) },
  );
  const path = `${dir}/${name}.ckpt`;
  const [seconds, summary] = await timed(() =>
    writeCheckpointFile(source, { disk, path }, { random })
  );
  return { path, seconds, ...summary };
}

const rounded = (number: number) => Number(number.toFixed(2));
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Overwrites at random, batch after batch, as the applier does. */
async function load(store: Store, isOver: () => boolean) {
  const latencies: number[] = [];
  const from = performance.now();
  while (!isOver()) {
    const numbers = new Set<number>();
    while (numbers.size < BATCH) numbers.add(random.below(RECORDS));
    const before = performance.now();
    await commit(store, [...numbers]);
    latencies.push(performance.now() - before);
  }
  const seconds = (performance.now() - from) / 1_000;
  const sorted = latencies.sort((a, b) => a - b);
  return {
    writesPerSecond: Math.round(latencies.length * BATCH / seconds),
    p50Ms: rounded(sorted[Math.floor(sorted.length / 2)] ?? 0),
    p99Ms: rounded(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
  };
}

const store = await Store.open({
  kv: openDenoKv(`${dir}/store.sqlite`),
  log: { write: () => {} },
});
await fill(store);
const phases: Record<string, number[]> = { copy: [], verify: [], build: [] };
let mib = 0;
for (let round = 0; round < ROUNDS; round += 1) {
  const { path, seconds, bytes } = await copy(store, `alone-${round}`);
  mib = bytes / MIB;
  phases.copy?.push(seconds);
  const file = await disk.open(path, "existing");
  phases.verify?.push((await timed(() => verifyCheckpoint(file)))[0]);
  const kv = await openDenoKv(`${dir}/built-${round}.sqlite`);
  const own = { encryptionMac: null, sessions: [] };
  const built = async () =>
    await buildStore(kv, await readCheckpoint(file), own);
  phases.build?.push((await timed(built))[0]);
  kv.close();
  await file.close();
}
const work = Object.entries(phases).map(([phase, seconds]) => ({
  phase,
  seconds: rounded(median(seconds)),
  recordsPerSecond: Math.round(RECORDS / median(seconds)),
  mibPerSecond: rounded(mib / median(seconds)),
}));

const until = (ms: number) => {
  const end = performance.now() + ms;
  return () => performance.now() > end;
};
/** Writes while one copy after another runs. */
async function loadWithCopies(bytesPerSecond?: number) {
  let isOver = false;
  let copies = 0;
  const copying = (async () => {
    const over = until(LOAD_MS);
    while (!over()) {
      await copy(store, `loaded-${copies}`, bytesPerSecond);
      copies += 1;
    }
    isOver = true;
  })();
  const result = await load(store, () => isOver);
  await copying;
  return result;
}

const writes = [];
for (let round = 0; round < ROUNDS; round += 1) {
  writes.push({ copies: "none", ...await load(store, until(LOAD_MS)) });
  writes.push({ copies: "unbounded", ...await loadWithCopies() });
  writes.push({ copies: "4 MiB/s", ...await loadWithCopies(4 * MIB) });
}
await store.close();
await disk.close();
await Deno.remove(dir, { recursive: true });

// deno-lint-ignore no-console -- a bench prints.
console.table(work);
// deno-lint-ignore no-console -- a bench prints.
console.table(writes);
// deno-lint-ignore no-console -- a bench prints.
console.log(JSON.stringify({ bench: "checkpoint", work, writes }));
