import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { openDenoKv } from "../../../src/io/deno/kv.ts";
import { SimKv } from "../../sim/io/kv.ts";
import {
  type AnyStore,
  plain,
  recordOf,
  stateAt,
  StoreModel,
  STORES,
} from "./store_model.ts";

/*
 * Keys that meet at every edge of the row key: few distinct bytes, many zeros,
 * shared prefixes around the escaped limit of 1,984, up to 2,070 bytes.
 */
const FILL = fc.constantFrom(0, 1, 2, 255);
const TAIL = fc.uint8Array({ maxLength: 3 }).map((bytes) =>
  bytes.map((byte) => [0, 1, 2, 255][byte & 3]!)
);
const SHORT_KEY = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) =>
  bytes.map((byte) => [0, 1, 2, 255][byte & 3]!)
);
const LONG_LENGTH = fc.constantFrom(
  ...[991, 992, 993, 994, 1_982, 1_983, 1_984, 1_985, 2_000, 2_047, 2_066],
);
const LONG_KEY = fc.tuple(FILL, LONG_LENGTH, TAIL).map(([fill, length, tail]) =>
  concatBytes(new Uint8Array(length).fill(fill), tail)
);
const MIXED_KEY = fc.tuple(FILL, LONG_LENGTH, TAIL, fc.nat(40)).map(
  ([fill, length, tail, zeros]) => {
    const key = concatBytes(new Uint8Array(length).fill(fill), tail);
    for (let i = 0; i < zeros; i += 1) key[length - 1 - i * 7] = 0;
    return key;
  },
);
const KEY = fc.oneof(SHORT_KEY, LONG_KEY, MIXED_KEY);
const BOUND = fc.oneof(
  { weight: 4, arbitrary: KEY },
  { weight: 1, arbitrary: fc.constantFrom(new Uint8Array(0)) },
  {
    weight: 2,
    arbitrary: fc.tuple(FILL, fc.integer({ min: 2_049, max: 2_100 })).map(
      ([fill, length]) => new Uint8Array(length).fill(fill),
    ),
  },
  {
    weight: 2,
    arbitrary: KEY.map((key) => concatBytes(key, Uint8Array.of(0))),
  },
);
const RANGE = fc.record({
  start: BOUND,
  end: BOUND,
  limit: fc.constantFrom(1, 2, 3, 10, 500),
  reverse: fc.boolean(),
});
const CLOCK_MS = 1_000;
const MUTATION = fc.record({
  database: fc.constantFrom(1, 2, 300),
  key: KEY,
  size: fc.constantFrom(0, 1, 100, 63_000, 65_536),
  gone: fc.integer({ min: 0, max: 3 }),
  expireAtMs: fc.constantFrom(0, 0, 999, 1_000, 1_001),
});
const RUN = fc.record({
  batches: fc.array(fc.array(MUTATION, { maxLength: 8 }), { maxLength: 5 }),
  ranges: fc.array(RANGE, { minLength: 1, maxLength: 10 }),
});

type Run = typeof RUN extends fc.Arbitrary<infer T> ? T : never;

async function followsModel(
  store: AnyStore,
  { batches, ranges }: Run,
): Promise<void> {
  const model = new StoreModel();
  try {
    let index = 0;
    for (const batch of batches) {
      index += 1;
      const mutations = batch.map(
        ({ database, key, size, gone, expireAtMs }): Mutation => ({
          database,
          key,
          record: gone === 0
            ? null
            : recordOf(new Uint8Array(size).fill(index), index, expireAtMs),
        }),
      );
      model.apply(mutations);
      await store.commit({ state: stateAt(index), mutations });
    }
    for (const database of [1, 2, 300]) {
      const got = await store.readRanges(database, ranges, CLOCK_MS);
      ranges.forEach((range, i) =>
        assert.deepEqual(
          plain(got[i]!),
          plain(model.read(database, range, CLOCK_MS)),
        )
      );
      const all = model.entries(database);
      const records = await store.readRecords(
        all.map(({ key }) => ({ database, key })),
      );
      assert.deepEqual(
        plain(all.map(({ key }, i) => ({ key, ...records[i]! }))),
        plain(all),
      );
    }
  } finally {
    await store.close();
  }
}

async function holds(openStore: () => Promise<AnyStore>, numRuns: number) {
  const property = fc.asyncProperty(
    RUN,
    async (run) => followsModel(await openStore(), run),
  );
  const details = await fc.check(property, { numRuns });
  // A counterexample here is a screen of zeros: say how to replay instead.
  const { failed, seed, counterexamplePath: path, errorInstance } = details;
  if (!failed) return;
  const replay = JSON.stringify({ seed, path });
  throw new Error(`fails with ${replay}`, { cause: errorInstance });
}

/** A kv whose commits come through only now and then. */
function slowKv(): SimKv {
  let commits = 0;
  return new SimKv({
    pause: async (operation) => {
      if (operation !== "commit") return;
      commits += 1;
      for (let turns = commits * 97 % 400; turns > 0; turns -= 1) {
        await Promise.resolve();
      }
    },
  });
}

for (const [name, open] of STORES) {
  Deno.test(`${name} follows a sorted array on the simulated kv`, async () => {
    await holds(() => open(slowKv()), 150);
  });

  Deno.test(`${name} follows a sorted array on Deno KV`, async () => {
    await holds(() => open(openDenoKv(":memory:")), 25);
  });
}
