/*
 * Question: what does a read through the store cost, next to the same read on a
 * plain Deno KV file in the same run? Points show whether sharing backing gets
 * pays: `get` of one key at a time is what a store without it would do.
 *
 *     deno run -A --unstable-kv bench/store_read.ts
 */
import process from "node:process";
import { concatBytes, utf8 } from "../src/base/bytes.ts";
import { openDenoKv } from "../src/io/deno/kv.ts";
import { EMPTY_STATE } from "../src/store/meta.ts";
import type { StoreRange } from "../src/store/read.ts";
import { Store } from "../src/store/store.ts";

const RUN_MS = 1_000;
const ROUNDS = 3;
const RECORDS = 20_000;
const CLIENTS = [1, 16, 64];

const dir = await Deno.makeTempDir();
const store = await Store.open({
  kv: openDenoKv(`${dir}/store.sqlite`),
  log: { write: () => {} },
});
const plain = await Deno.openKv(`${dir}/plain.sqlite`);
const value = new Uint8Array(256).fill(7);
const name = (i: number) => `user${String(i % RECORDS).padStart(6, "0")}`;
const key = (i: number) => utf8(`\x02${name(i)}\0`);
const ZERO = Uint8Array.of(0);

for (let from = 0; from < RECORDS; from += 900) {
  const numbers = Array.from({ length: 900 }, (_, i) => from + i);
  await store.commit({
    state: { ...EMPTY_STATE, applied: { index: from, term: 1 } },
    mutations: numbers.map((i) => ({
      database: 1,
      key: key(i),
      record: {
        value: { data: value, encoding: 1 },
        versionstamp: new Uint8Array(10),
        expireAtMs: 0,
      },
    })),
  });
  let atomic = plain.atomic();
  for (const i of numbers) atomic = atomic.set([name(i)], value);
  await atomic.commit();
}

function point(i: number): StoreRange {
  const start = key(i);
  const end = concatBytes(start, ZERO);
  return { start, end, limit: 1, reverse: false };
}

/** What npm's `get` asks: the first key from here on. */
function firstFrom(i: number): StoreRange {
  return { start: key(i), end: Uint8Array.of(255), limit: 1, reverse: false };
}

const QUESTIONS: Readonly<Record<string, (i: number) => Promise<unknown>>> = {
  "store point": (i) => store.readRanges(1, [point(i)], 0),
  "plain get": (i) => plain.get([name(i)]),
  "store 10 points": (i) =>
    store.readRanges(1, Array.from({ length: 10 }, (_, n) => point(i + n)), 0),
  "plain getMany 10": (i) =>
    plain.getMany(Array.from({ length: 10 }, (_, n) => [name(i + n)])),
  "store npm get": (i) => store.readRanges(1, [firstFrom(i)], 0),
  "store list 100": (i) =>
    store.readRanges(1, [{ ...firstFrom(i % 10_000), limit: 100 }], 0),
  "plain list 100": (i) =>
    Array.fromAsync(plain.list(
      { start: [name(i % 10_000)], end: ["v"] },
      { limit: 100, batchSize: 100 },
    )),
};

async function round(
  ask: (i: number) => Promise<unknown>,
  clients: number,
): Promise<readonly [perSecond: number, cpuMicros: number]> {
  let asked = 0;
  const cpu = process.cpuUsage();
  const from = performance.now();
  await Promise.all(Array.from({ length: clients }, async (_, client) => {
    for (let i = client * 37; performance.now() - from < RUN_MS; i += 7) {
      await ask(i);
      asked += 1;
    }
  }));
  const used = process.cpuUsage(cpu);
  const elapsed = performance.now() - from;
  return [asked / elapsed * 1_000, (used.user + used.system) / asked];
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const results = [];
for (const clients of CLIENTS) {
  const rates = new Map<string, number[]>();
  const costs = new Map<string, number[]>();
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const [question, ask] of Object.entries(QUESTIONS)) {
      const [rate, cost] = await round(ask, clients);
      rates.set(question, [...rates.get(question) ?? [], rate]);
      costs.set(question, [...costs.get(question) ?? [], cost]);
    }
  }
  for (const question of Object.keys(QUESTIONS)) {
    results.push({
      clients,
      question,
      perSecond: Math.round(median(rates.get(question) ?? [])),
      cpuMicros: Math.round(median(costs.get(question) ?? [])),
    });
  }
}
await store.close();
plain.close();
await Deno.remove(dir, { recursive: true });

// deno-lint-ignore no-console -- a bench prints.
console.table(results);
// deno-lint-ignore no-console -- a bench prints.
console.log(JSON.stringify({ bench: "store_read", results }));
