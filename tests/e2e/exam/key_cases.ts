import assert from "node:assert/strict";
import { collect, type ExamCase, valueAt } from "./exam.ts";

const KEYS: readonly Deno.KvKey[] = [
  ["a"],
  ["a", "b"],
  ["a", "b", "c"],
  [1],
  ["a", 1],
  ["a", 1, "b"],
  [1n],
  ["a", 1n],
  ["a", 1n, "b"],
  [true],
  ["a", true],
  ["a", true, "b"],
  [false],
  [Uint8Array.of(1, 2, 3)],
  ["a", Uint8Array.of(1, 2, 3)],
  ["a", Uint8Array.of(1, 2, 3), "b"],
  [1, 1n, true, Uint8Array.of(1, 2, 3), "a"],
  [""],
  ["", "", ""],
  ["\0", "a\0b", "\0\0"],
  ["ü€𝄞"],
  [new Uint8Array(0)],
  [Uint8Array.of(0, 255, 0, 0)],
  [0],
  [-1.5],
  [Number.MAX_VALUE],
  [0n],
  [-1n],
  [255n, 256n, -255n, -256n],
  [2n ** 64n - 1n, 2n ** 64n, -(2n ** 64n)],
  [2n ** 2_000n],
  [-(2n ** 2_000n)],
];

/** Ascending, by the rules of the key encoding. */
const ORDERED: readonly Deno.KvKey[] = [
  [new Uint8Array(0)],
  [Uint8Array.of(0)],
  [Uint8Array.of(0, 0)],
  [Uint8Array.of(0, 1)],
  [Uint8Array.of(1)],
  [Uint8Array.of(255)],
  [""],
  ["", "z"],
  ["\0"],
  ["a"],
  ["a", Uint8Array.of(1)],
  ["a", "a"],
  ["a", "b"],
  ["a", 1n],
  ["a", 1],
  ["a", false],
  ["a", true],
  ["a\0"],
  ["aa"],
  ["b"],
  ["ü"],
  ["\uffff"],
  ["\u{10000}"],
  [-(2n ** 100n)],
  [-(2n ** 64n)],
  [-(2n ** 64n) + 1n],
  [-256n],
  [-255n],
  [-1n],
  [0n],
  [1n],
  [255n],
  [256n],
  [2n ** 64n - 1n],
  [2n ** 64n],
  [2n ** 100n],
  [-Infinity],
  [-1.5],
  [-1],
  [0],
  [5e-324],
  [1],
  [3.14],
  [1e300],
  [Infinity],
  [false],
  [true],
  [true, "z"],
];

/** Keys of all kinds, and their order. */
export const keyCases: readonly ExamCase[] = [
  {
    name: "keys: of every kind of part",
    async run({ kv }) {
      for (const [i, key] of KEYS.entries()) {
        await kv.set(key, i);
        const entry = await kv.get(key);
        assert.deepEqual(entry.key, key);
        assert.equal(entry.value, i);
      }
      for (const [i, key] of KEYS.entries()) {
        assert.equal(await valueAt(kv, key), i);
        await kv.delete(key);
        assert.equal(await valueAt(kv, key), null);
      }
    },
  },
  {
    name: "keys: are listed in order, forwards and backwards",
    async run({ kv }) {
      const shuffled = ORDERED.map((key, i) => ({ key, i }))
        .sort((a, b) => (a.i * 7919) % 101 - (b.i * 7919) % 101);
      for (const { key, i } of shuffled) await kv.set(key, i);
      const up = await collect(kv.list<number>({ prefix: [] }));
      assert.deepEqual(up.map(({ key }) => key), ORDERED);
      assert.deepEqual(up.map(({ value }) => value), [...ORDERED.keys()]);
      const down = await collect(
        kv.list<number>({ prefix: [] }, { reverse: true, batchSize: 7 }),
      );
      assert.deepEqual(down, up.reverse());
    },
  },
  {
    name: "keys: NaN and negative zero keep their place",
    skip: { npm: "its encoding of them differs from Deno's" },
    async run({ kv }) {
      const keys = [[-Infinity], [-0], [0], [Infinity], [NaN]];
      for (const key of keys.toReversed()) await kv.set(key, "v");
      const listed = await collect(kv.list({ prefix: [] }));
      assert.deepEqual(listed.map(({ key }) => key), keys);
      assert.equal(await valueAt(kv, [NaN]), "v");
    },
  },
  {
    name: "keys: a number and a bigint are different keys",
    async run({ kv }) {
      await kv.set([1], "number");
      await kv.set([1n], "bigint");
      await kv.set(["1"], "string");
      const values = await kv.getMany<string[]>([[1], [1n], ["1"]]);
      assert.deepEqual(
        values.map(({ value }) => value),
        ["number", "bigint", "string"],
      );
    },
  },
  {
    name: "keys: the empty key is read as absent by Deno and never written",
    async run({ kv, client, backend }) {
      await assert.rejects(async () => await kv.set([], 1), TypeError);
      await assert.rejects(async () => await kv.delete([]), TypeError);
      if (client === "npm") return;
      if (backend === "remote") {
        const entry = await kv.get([]);
        assert.deepEqual([entry.value, entry.versionstamp], [null, null]);
      }
    },
  },
  {
    name: "keys: parts of other kinds are refused",
    skip: { npm: "it checks less" },
    async run({ kv }) {
      const parts: unknown[] = [
        null,
        undefined,
        {},
        new Date(),
        new ArrayBuffer(3),
        ["a", "b"],
        Symbol("s"),
      ];
      for (const part of parts) {
        const key = [part] as unknown as Deno.KvKey;
        await assert.rejects(async () => await kv.set(key, "b"), Error);
        await assert.rejects(async () => await kv.get(key), Error);
      }
    },
  },
  {
    name: "keys: must be arrays",
    skip: { npm: "it takes a string for an array of letters" },
    async run({ kv }) {
      const key = "a" as unknown as Deno.KvKey;
      const calls = [
        () => kv.get(key),
        () => kv.getMany([key]),
        () => kv.set(key, 1),
        () => kv.delete(key),
        () => kv.atomic().mutate({ key, type: "set", value: 1 }).commit(),
        () => kv.atomic().check({ key, versionstamp: null }).commit(),
      ];
      for (const call of calls) {
        await assert.rejects(async () => await call(), TypeError);
      }
    },
  },
];
