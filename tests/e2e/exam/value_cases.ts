import assert from "node:assert/strict";
import { type ExamCase, u64At, valueAt } from "./exam.ts";

const KEY = ["value"];

class Cyclic {
  readonly self: unknown;
  readonly name = "cyclic";
  constructor() {
    this.self = this;
  }
}

const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ["a string", "hello"],
  ["an empty string", ""],
  ["a string of all planes", "a\0ü€𝄞\u{10ffff}\ufeff"],
  ["a lone surrogate", "\ud800"],
  ["a long string", "x".repeat(60_000)],
  ["a long wide string", "€".repeat(30_000)],
  ["a number", 42],
  ["zero", 0],
  ["negative zero", -0],
  ["a fraction", 0.1],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["the largest i32", 2 ** 31 - 1],
  ["more than an i32", 2 ** 31],
  ["the largest safe integer", Number.MAX_SAFE_INTEGER],
  ["a bigint", 42n],
  ["a negative bigint", -(2n ** 64n)],
  ["a bigint of 4,000 bits", 2n ** 4_000n],
  ["true", true],
  ["false", false],
  ["null", null],
  ["undefined", undefined],
  ["a Date", new Date(0)],
  ["a RegExp", /a+(b)?/giu],
  ["a Map", new Map<unknown, unknown>([["a", 1], [{ k: 1 }, new Map()]])],
  ["a Set", new Set<unknown>([1, "1", null, new Set([2n])])],
  ["an empty Uint8Array", new Uint8Array(0)],
  ["a Uint8Array", Uint8Array.of(0, 1, 254, 255)],
  ["a Uint8Array of 65,536 bytes", new Uint8Array(65_536).fill(7)],
  ["part of a Uint8Array", Uint8Array.of(9, 1, 2, 9).subarray(1, 3)],
  ["an ArrayBuffer", new ArrayBuffer(3)],
  ["an Int16Array", Int16Array.of(-1, 2)],
  ["a Float64Array", Float64Array.of(1.5, -0, NaN)],
  ["a BigUint64Array", BigUint64Array.of(2n ** 64n - 1n)],
  ["an array", [1, "2", null, undefined, [3n]]],
  ["an empty array", []],
  ["nested arrays", [[1, 2], [3, 4]]],
  ["an object", { a: 1, b: 2 }],
  ["an empty object", {}],
  ["a nested object", { a: { b: { c: [new Date(1), { d: new Map() }] } } }],
  ["an object with bytes", { bytes: Uint8Array.of(1, 2), none: undefined }],
  ["an object with odd names", { "": 1, __proto: 2, "a\0b": 3, 7: 4 }],
];

/** What is written is read back. */
export const valueCases: readonly ExamCase[] = [
  ...VALUES.map(([name, value]): ExamCase => ({
    name: `values: ${name}`,
    async run({ kv }) {
      const { versionstamp } = await kv.set(KEY, value);
      const entry = await kv.get(KEY);
      assert.deepEqual(entry.key, KEY);
      assert.deepEqual(entry.value, value);
      assert.equal(entry.versionstamp, versionstamp);
    },
  })),
  ...[0n, 1n, 2n ** 63n, 2n ** 64n - 1n].map((value): ExamCase => ({
    name: `values: KvU64 ${value}`,
    async run({ kv, u64 }) {
      await kv.set(KEY, u64(value));
      assert.equal(await u64At(kv, KEY), value);
    },
  })),
  {
    name: "values: a Date that is none",
    async run({ kv }) {
      await kv.set(KEY, new Date(NaN));
      const value = await valueAt(kv, KEY);
      assert.ok(value instanceof Date && Number.isNaN(value.getTime()));
    },
  },
  {
    name: "values: an array with holes",
    async run({ kv }) {
      // deno-lint-ignore no-sparse-arrays
      await kv.set(KEY, [1, , 3]);
      const value = await valueAt(kv, KEY);
      assert.ok(Array.isArray(value));
      assert.deepEqual([value.length, 1 in value, value[2]], [3, false, 3]);
    },
  },
  {
    name: "values: objects of primitives",
    async run({ kv }) {
      await kv.set(KEY, [Object(1), Object("s"), Object(2n), Object(true)]);
      const value = await valueAt(kv, KEY);
      assert.ok(Array.isArray(value));
      const kinds = value.map((item) => `${typeof item} ${item}`);
      assert.deepEqual(kinds, [
        "object 1",
        "object s",
        "object 2",
        "object true",
      ]);
    },
  },
  {
    name: "values: errors",
    async run({ kv }) {
      for (
        const error of [new Error("a"), new TypeError("b"), new RangeError("c")]
      ) {
        await kv.set(KEY, { error });
        const value = await kv.get<{ error: Error }>(KEY);
        const read = value.value?.error;
        assert.ok(read instanceof Error);
        assert.deepEqual([read.name, read.message], [
          error.name,
          error.message,
        ]);
      }
    },
  },
  {
    name: "values: an object that holds itself",
    async run({ kv }) {
      await kv.set(KEY, new Cyclic());
      const { value } = await kv.get<{ self: unknown; name: string }>(KEY);
      assert.equal(value?.self, value);
      assert.equal(value?.name, "cyclic");
    },
  },
  {
    name: "values: two names for one object",
    async run({ kv }) {
      const shared = { n: 1 };
      await kv.set(KEY, [shared, shared]);
      const { value } = await kv.get<object[]>(KEY);
      assert.equal(value?.[0], value?.[1]);
    },
  },
  {
    name: "values: what cannot be cloned is refused, and nothing written",
    async run({ kv }) {
      const values = [
        () => {},
        Symbol("s"),
        new WeakMap(),
        new WeakSet(),
        new SharedArrayBuffer(3),
        { deep: [() => {}] },
        Promise.resolve(),
      ];
      for (const value of values) {
        await assert.rejects(async () => await kv.set(KEY, value), Error);
        const entry = await kv.get(KEY);
        assert.deepEqual([entry.value, entry.versionstamp], [null, null]);
      }
    },
  },
  {
    name: "values: null and undefined are there",
    async run({ kv }) {
      await kv.set(["null"], null);
      await kv.set(["undefined"], undefined);
      const entries = await kv.getMany([["null"], ["undefined"], ["absent"]]);
      assert.deepEqual(
        entries.map(({ versionstamp }) => versionstamp === null),
        [false, false, true],
      );
      assert.deepEqual(
        entries.map(({ value }) => value),
        [null, undefined, null],
      );
    },
  },
];
