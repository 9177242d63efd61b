// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: what does a record cost in the store when it is sealed, next to one
 * in cleartext in the same run: written behind the overlay, read alone and in
 * ranges of 100? Processor microseconds are of the whole process, all threads.
 *
 *     deno run -A --unstable-kv bench/store_sealing.ts
 */
import { cpuUsage } from "node:process";
import { utf8 } from "../src/base/bytes.ts";
import type { Mutation } from "../src/fsm/types.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import { openDenoKv } from "../src/io/deno/kv.ts";
import { BufferedStore } from "../src/store/buffered_store.ts";
import { sealedAt } from "../tests/unit/store/sealed_model.ts";
import { TestRecordKeys } from "../tests/unit/store/test_record_keys.ts";

const RUN_MS = 500;
const ROUNDS = 4;
const KEYS = 10_000;
const SIZES = [256, 4_096];
const clusterId = new Uint8Array(16).fill(0xc1);
const STATES = { cleartext: sealedAt(9), sealed: sealedAt(10) };
type Kind = keyof typeof STATES;

interface Sample {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

const dir = await Deno.makeTempDir();
let index = 10;
let counter = 0;

function keyOf(i: number): Uint8Array {
  const spread = (i * 2_654_435_761) % KEYS;
  return utf8(`\x02user${String(spread).padStart(6, "0")}\0`);
}

function put(bytes: number): Mutation {
  counter += 1;
  const versionstamp = new Uint8Array(10);
  new DataView(versionstamp.buffer).setUint32(4, index);
  const data = new Uint8Array(bytes).fill(counter);
  const record = { value: { data, encoding: 3 } as const, versionstamp };
  return {
    database: 1,
    key: keyOf(counter),
    record: { ...record, expireAtMs: 0 },
  };
}

async function measure(work: () => Promise<number>): Promise<Sample> {
  const cpu = cpuUsage();
  const from = performance.now();
  let count = 0;
  while (performance.now() - from < RUN_MS) count += await work();
  const { user, system } = cpuUsage(cpu);
  const seconds = (performance.now() - from) / 1_000;
  return {
    perSecond: Math.round(count / seconds),
    cpuMicros: (user + system) / count,
  };
}

/** Segments as full as they get. */
async function write(
  store: BufferedStore,
  kind: Kind,
  bytes: number,
): Promise<number> {
  const batches = 40;
  for (let i = 0; i < batches; i += 1) {
    index += 1;
    const state = { ...STATES[kind], applied: { index, term: 1 } };
    const mutations = Array.from({ length: 50 }, () => put(bytes));
    await store.commit({ state, mutations });
  }
  await store.flush();
  return batches * 50;
}

async function readPoints(store: BufferedStore): Promise<number> {
  const reads = Array.from({ length: 64 }, () => {
    counter += 1;
    return store.readRecords([{ database: 1, key: keyOf(counter) }]);
  });
  await Promise.all(reads);
  return reads.length;
}

async function readRange(store: BufferedStore): Promise<number> {
  counter += 1;
  const range = {
    ...{ start: keyOf(counter), end: Uint8Array.of(255) },
    ...{ limit: 100, reverse: false },
  };
  const [entries] = await store.readRanges(1, [range], 0);
  return entries?.length ?? 0;
}

const least = (samples: readonly Sample[]) =>
  samples.toSorted((a, b) => a.cpuMicros - b.cpuMicros)[0]?.cpuMicros ?? 0;
const most = (samples: readonly Sample[]) =>
  Math.max(...samples.map(({ perSecond }) => perSecond));

const results = [];
for (const bytes of SIZES) {
  const stores = new Map<Kind, BufferedStore>();
  for (const kind of ["cleartext", "sealed"] as const) {
    const store = await BufferedStore.open({
      kv: openDenoKv(`${dir}/${kind}-${bytes}.sqlite`),
      log: { write: () => {} },
      keys: new TestRecordKeys(clusterId),
    });
    for (counter = 0; counter < KEYS;) await write(store, kind, bytes);
    stores.set(kind, store);
  }
  for (
    const [name, work] of [
      ["write", write],
      ["read one", readPoints],
      ["read 100", readRange],
    ] as const
  ) {
    const samples = new Map<Kind, Sample[]>([["cleartext", []], [
      "sealed",
      [],
    ]]);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [kind, store] of stores) {
        samples.get(kind)?.push(await measure(() => work(store, kind, bytes)));
      }
    }
    const [clear = [], sealed = []] = [...samples.values()];
    results.push({
      ...{ bytes, name },
      cleartextPerSecond: most(clear),
      sealedPerSecond: most(sealed),
      cleartextCpuMicros: Number(least(clear).toFixed(1)),
      sealedCpuMicros: Number(least(sealed).toFixed(1)),
      added: Number((least(sealed) - least(clear)).toFixed(1)),
    });
  }
  for (const store of stores.values()) await store.close();
}
console.table(results);
const machine = await machineName(dir);
await Deno.remove(dir, { recursive: true });
console.log(JSON.stringify({
  bench: "store_sealing",
  machine,
  results,
}));
