/*
 * Goal: a request that needs several backing reads sees one state, whatever
 * commits, commits in parts and sweeps run meanwhile.
 * Method: every batch writes its number under keys in three places, one of them
 * with an overflow part; readers ask for all of them and must find one number.
 * Every backing operation waits a random number of turns.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { openDenoKv } from "../../../src/io/deno/kv.ts";
import type { StoreRange } from "../../../src/store/read.ts";
import { SimKv } from "../../sim/io/kv.ts";
import { type AnyStore, recordOf, stateAt, STORES } from "./store_model.ts";

const PLACES = ["a", "m", "z"];
const KEYS = Array.from(
  { length: 30 },
  (_, i) => utf8(`${PLACES[i % 3]}${i}`),
);
const RANGES: readonly StoreRange[] = PLACES.map((place) => ({
  start: utf8(place),
  end: utf8(`${place}~`),
  limit: 1_000,
  reverse: place === "m",
}));

function mutations(index: number, big: boolean): readonly Mutation[] {
  const all = KEYS.map((key, i): Mutation => ({
    database: 1,
    key,
    record: recordOf(
      new Uint8Array(i === 4 ? 65_536 - (index % 3) : 10).fill(index),
      index,
      i === 7 && index % 4 === 0 ? 1 : 0,
    ),
  }));
  if (!big) return all;
  const more = Array.from({ length: 1_100 }, (_, i): Mutation => ({
    database: 2,
    key: utf8(`${i}`),
    record: recordOf(new Uint8Array(1), index),
  }));
  return [...all.slice(0, 15), ...more, ...all.slice(15)];
}

/** A buffered store may wait for nothing: lets input and output go on. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function staysOnOneState(
  store: AnyStore,
  batches: number,
): Promise<number> {
  await store.commit({ state: stateAt(1), mutations: mutations(1, false) });
  let running = true;
  const seen = new Set<number>();
  const reader = async (kind: "records" | "ranges" | "one list") => {
    while (running) {
      await macrotask();
      const states = new Set<number>();
      const from = store.state.applied.index;
      if (kind === "records") {
        const found = await store.readRecords(
          KEYS.map((key) => ({ database: 1, key })),
        );
        for (const record of found) states.add(record!.versionstamp.at(7)!);
      } else {
        const ranges = kind === "ranges" ? RANGES : RANGES.slice(2);
        const found = await store.readRanges(1, ranges, 0);
        assert.equal(found.flat().length, ranges.length * 10);
        for (const { versionstamp } of found.flat()) {
          states.add(versionstamp.at(7)!);
        }
      }
      assert.equal(states.size, 1, `one request saw ${[...states]}`);
      for (const state of states) {
        assert.ok(state >= from, `${state} was read after ${from}`);
        seen.add(state);
      }
    }
  };
  const kinds = ["records", "ranges", "one list", "one list"] as const;
  const readers = kinds.map(reader);
  try {
    for (let index = 2; index <= batches; index += 1) {
      const batch = {
        state: stateAt(index),
        mutations: mutations(index, index % 10 === 0),
      };
      await Promise.race([store.commit(batch), ...readers]);
      await macrotask();
    }
  } finally {
    running = false;
  }
  await Promise.all(readers);
  await store.close();
  return seen.size;
}

for (const [name, open] of STORES) {
  Deno.test(`${name} reads one state on the simulated kv`, async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      let random = seed;
      const pause = async () => {
        random = (random * 48_271) % 2_147_483_647;
        for (let turns = random % 23; turns > 0; turns -= 1) {
          await Promise.resolve();
        }
      };
      const store = await open(new SimKv({ pause }));
      assert.ok(await staysOnOneState(store, 60) > 10);
    }
  });

  Deno.test(`${name} reads one state on Deno KV`, async () => {
    const store = await open(openDenoKv(":memory:"));
    assert.ok(await staysOnOneState(store, 100) > 10);
  });
}
