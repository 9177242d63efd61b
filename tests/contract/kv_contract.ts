import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, compareBytes, toHex, utf8 } from "../../src/base/bytes.ts";
import {
  type Kv,
  KV_BATCH_BYTES_MAX,
  KV_BATCH_KEY_BYTES_MAX,
  KV_CHECKS_MAX,
  KV_KEY_BYTES_MAX,
  KV_LIST_ROWS_MAX,
  KV_MUTATIONS_MAX,
  KV_READ_KEYS_MAX,
  KV_VALUE_BYTES_MAX,
  type KvBatch,
  type KvKey,
  type KvPart,
} from "../../src/io/kv.ts";
import { encodeKvKey, kvKeyBytes } from "../../src/io/kv_key.ts";

const PART: fc.Arbitrary<KvPart> = fc.oneof(
  fc.uint8Array({ maxLength: 4 }).map((bytes) =>
    bytes.map((byte) => [0, 1, 254, 255][byte & 3]!)
  ),
  fc.string({ maxLength: 3, unit: "binary" }),
  fc.constantFrom("", "\0", "a", "a\0b"),
  fc.bigInt(-(2n ** 130n), 2n ** 130n),
  fc.constantFrom(0n, 1n, -1n, 255n, 256n, 2n ** 64n - 1n, 2n ** 64n),
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, Infinity, -Infinity),
  fc.boolean(),
);
const KEY = fc.array(PART, { minLength: 1, maxLength: 3 });

/** A key of exactly `length` encoded bytes; `seed` makes it distinct. */
export function keyOfBytes(length: number, seed = 0): KvKey {
  // Framing of the bytes part takes 2, the number 9.
  return [new Uint8Array(length - 11).fill(1), seed];
}

/** What every backing store does alike. `make` gives an empty one. */
export function runKvContract(
  name: string,
  make: () => Promise<Kv>,
): void {
  const test = (claim: string, run: (kv: Kv) => Promise<void>) =>
    Deno.test(`${name} ${claim}`, async () => {
      const kv = await make();
      try {
        await run(kv);
      } finally {
        kv.close();
      }
    });

  const set = (kv: Kv, key: KvKey, value: Bytes = utf8("v")) =>
    kv.commit({ sets: [{ key, value }], deletes: [] });

  test("get() gives values in the order of keys", async (kv) => {
    await set(kv, ["b"], utf8("B"));
    await set(kv, ["a"], utf8("A"));
    const values = await kv.get([["a"], ["none"], ["b"], ["a"]]);
    assert.deepEqual(values, [utf8("A"), null, utf8("B"), utf8("A")]);
    assert.deepEqual(await kv.get([]), []);
  });

  test("get() takes 10 keys", async (kv) => {
    const keys = Array.from({ length: KV_READ_KEYS_MAX + 1 }, (_, i) => [i]);
    assert.equal((await kv.get(keys.slice(1))).length, KV_READ_KEYS_MAX);
    await assert.rejects(kv.get(keys));
  });

  test("list() orders by encoded keys, both ways", async (kv) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(KEY, { minLength: 2, maxLength: 20 }),
        fc.tuple(KEY, KEY, fc.integer({ min: 1, max: 20 }), fc.boolean()),
        async (keys, [start, end, limit, reverse]) => {
          await clear(kv);
          for (const key of keys) await set(kv, key, encodeKvKey(key));
          const range = { start, end, limit, reverse };
          const rows = await kv.list(range);
          const expected = [...new Set(keys.map((key) => hexOf(key)))].sort()
            .filter((hex) => hex >= hexOf(start) && hex < hexOf(end));
          if (reverse) expected.reverse();
          assert.deepEqual(
            rows.map(({ key }) => hexOf(key)),
            expected.slice(0, limit),
          );
          for (const { key, value } of rows) {
            assert.equal(compareBytes(encodeKvKey(key), value), 0);
            assert.equal(kvKeyBytes(key), value.length);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("list() is half-open; empty for bounds that do not ascend", async (kv) => {
    for (const key of [["a"], ["b"], ["c"]]) await set(kv, key);
    const names = async (start: string, end: string, reverse: boolean) => {
      const range = { start: [start], end: [end], limit: 9, reverse };
      return (await kv.list(range)).map(({ key }) => key[0]);
    };
    assert.deepEqual(await names("a", "c", false), ["a", "b"]);
    assert.deepEqual(await names("a", "c", true), ["b", "a"]);
    for (const reverse of [false, true]) {
      assert.deepEqual(await names("b", "b", reverse), []);
      assert.deepEqual(await names("c", "a", reverse), []);
    }
  });

  test("list() gives up to 1,000 rows", async (kv) => {
    const keys = Array.from({ length: KV_LIST_ROWS_MAX }, (_, i) => [i]);
    await kv.commit({
      sets: keys.map((key) => ({ key, value: utf8("v") })),
      deletes: [],
    });
    await set(kv, [KV_LIST_ROWS_MAX]);
    const list = (limit: number) => kv.list({ start: [0], end: [true], limit });
    assert.equal((await list(KV_LIST_ROWS_MAX)).length, KV_LIST_ROWS_MAX);
    assert.equal((await list(7)).length, 7);
    await assert.rejects(async () => await list(KV_LIST_ROWS_MAX + 1));
    await assert.rejects(async () => await list(0));
  });

  test("commit() sets and deletes at once", async (kv) => {
    await set(kv, ["gone"]);
    const done = await kv.commit({
      sets: [{ key: ["a"], value: utf8("A") }],
      deletes: [["gone"], ["never"]],
    });
    assert.equal(done, true);
    assert.deepEqual(await kv.get([["a"], ["gone"]]), [utf8("A"), null]);
    assert.equal(await kv.commit({ sets: [], deletes: [] }), true);
  });

  test("commit() changes nothing when a key is there", async (kv) => {
    await set(kv, ["there"], utf8("old"));
    const batch = {
      sets: [{ key: ["a"], value: utf8("A") }],
      deletes: [["there"]],
    };
    const absent = [["free"], ["there"]];
    assert.equal(await kv.commit({ ...batch, absent }), false);
    assert.deepEqual(await kv.get([["a"], ["there"]]), [null, utf8("old")]);
    assert.equal(await kv.commit({ ...batch, absent: [["free"]] }), true);
    assert.deepEqual(await kv.get([["a"], ["there"]]), [utf8("A"), null]);
  });

  test("commit() keeps no hold of the caller's bytes", async (kv) => {
    const part = utf8("key");
    const value = utf8("value");
    await set(kv, [part], value);
    part.fill(0);
    value.fill(0);
    assert.deepEqual(await kv.get([[utf8("key")]]), [utf8("value")]);
    const [read] = await kv.get([[utf8("key")]]);
    read!.fill(0);
    assert.deepEqual(await kv.get([[utf8("key")]]), [utf8("value")]);
  });

  test("commit() stores an empty value", async (kv) => {
    await set(kv, ["empty"], new Uint8Array(0));
    assert.deepEqual(await kv.get([["empty"]]), [new Uint8Array(0)]);
  });

  for (const [claim, fits, exceeds] of limitCases()) {
    test(`commit() takes ${claim} and no more`, async (kv) => {
      assert.equal(await kv.commit(fits), true);
      await clear(kv);
      await assert.rejects(kv.commit(exceeds), TypeError);
      assert.deepEqual(await kv.list({ ...ALL, limit: 1 }), []);
    });
  }

  test("reads take keys of 2,048 bytes and bounds of 2,049", async (kv) => {
    const key = keyOfBytes(KV_KEY_BYTES_MAX);
    const bound = keyOfBytes(KV_KEY_BYTES_MAX + 1);
    await set(kv, key);
    assert.deepEqual(await kv.get([key]), [utf8("v")]);
    await assert.rejects(kv.get([bound]), TypeError);
    const rows = await kv.list({ start: key, end: bound, limit: 2 });
    assert.equal(rows.length, 1);
    const end = keyOfBytes(KV_KEY_BYTES_MAX + 2);
    await assert.rejects(kv.list({ start: key, end, limit: 2 }), TypeError);
  });

  test("close() ends all use", async (kv) => {
    kv.close();
    kv.close();
    await assert.rejects(kv.get([["a"]]));
    await assert.rejects(kv.list({ ...ALL, limit: 1 }));
    await assert.rejects(set(kv, ["a"]));
  });
}

/** Above every key of KEY, which has at most three parts. */
const LAST = [true, true, true, true];
const ALL = { start: [new Uint8Array(0)], end: LAST };

type LimitCase = readonly [claim: string, fits: KvBatch, exceeds: KvBatch];

function limitCases(): readonly LimitCase[] {
  const sets = (count: number, keyBytes: number, valueBytes: number) =>
    Array.from({ length: count }, (_, i) => ({
      key: keyOfBytes(keyBytes, i),
      value: new Uint8Array(valueBytes),
    }));
  const keys = (count: number, keyBytes = 20) =>
    Array.from({ length: count }, (_, i) => keyOfBytes(keyBytes, -1 - i));
  // 12 values of 64 KiB, their keys twice, then deletes and one last value.
  const bytes = (last: number): KvBatch => ({
    sets: [
      ...sets(12, 100, KV_VALUE_BYTES_MAX),
      { key: keyOfBytes(50, 99), value: new Uint8Array(last) },
    ],
    deletes: keys(10, 30),
  });
  const lastMax = KV_BATCH_BYTES_MAX -
    12 * (KV_VALUE_BYTES_MAX + 200) - 100 - 300;
  const keyBytes = (last: number): KvBatch => ({
    sets: [...sets(40, 2_000, 1), ...sets(1, last, 1)],
    deletes: keys(20, 2_000),
  });
  const one = (keyLength: number, valueLength: number): KvBatch => ({
    sets: sets(1, keyLength, valueLength),
    deletes: [],
  });
  const mutations = (count: number): KvBatch => ({
    sets: sets(500, 20, 1),
    deletes: keys(count - 500),
  });
  const checks = (count: number): KvBatch => ({
    absent: keys(count),
    ...one(20, 1),
  });
  const max = KV_KEY_BYTES_MAX;
  const valueMax = KV_VALUE_BYTES_MAX;
  return [
    ["a key of 2,048 bytes", one(max, 1), one(max + 1, 1)],
    ["a value of 65,536 bytes", one(20, valueMax), one(20, valueMax + 1)],
    [
      "1,000 mutations",
      mutations(KV_MUTATIONS_MAX),
      mutations(KV_MUTATIONS_MAX + 1),
    ],
    ["100 checks", checks(KV_CHECKS_MAX), checks(KV_CHECKS_MAX + 1)],
    ["819,200 bytes", bytes(lastMax), bytes(lastMax + 1)],
    [
      "81,920 bytes of keys",
      keyBytes(KV_BATCH_KEY_BYTES_MAX - 80_000),
      keyBytes(KV_BATCH_KEY_BYTES_MAX - 80_000 + 1),
    ],
  ];
}

async function clear(kv: Kv): Promise<void> {
  for (;;) {
    const rows = await kv.list({ ...ALL, limit: 100 });
    if (rows.length === 0) return;
    await kv.commit({ sets: [], deletes: rows.map(({ key }) => key) });
  }
}

function hexOf(key: KvKey): string {
  return toHex(encodeKvKey(key));
}
