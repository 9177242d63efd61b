import assert from "node:assert/strict";
import fc from "fast-check";
import { compareBytes, concatBytes } from "../../../src/base/bytes.ts";
import { KV_KEY_BYTES_MAX } from "../../../src/io/kv.ts";
import { encodeKvKey, escapedBytes } from "../../../src/io/kv_key.ts";
import {
  CLIENT_KEY_BYTES_MAX,
  expiryKey,
  isLongKey,
  keyName,
  META_KEY,
  overflowKey,
  parseNumberedKey,
  parseRowKey,
  ROW_KEY_ESCAPED_BYTES_MAX,
  rowAfter,
  rowBounds,
  rowKey,
  stagedKey,
} from "../../../src/store/row_key.ts";

const BYTE = fc.constantFrom(0, 0, 1, 2, 255);
const FILLED = fc.tuple(BYTE, fc.integer({ min: 980, max: 2_066 })).map(
  ([byte, length]) => new Uint8Array(length).fill(byte),
);
const TAIL = fc.array(BYTE, { maxLength: 4 }).map((tail) =>
  Uint8Array.from(tail)
);
const KEY = fc.oneof(
  fc.array(BYTE, { minLength: 1, maxLength: 5 }).map((key) =>
    Uint8Array.from(key)
  ),
  fc.tuple(FILLED, TAIL).map(([start, tail]) => concatBytes(start, tail)),
);
const BOUND = fc.oneof(
  KEY,
  fc.constant(new Uint8Array(0)),
  fc.tuple(BYTE, fc.integer({ min: 2_049, max: 2_100 })).map(
    ([byte, length]) => new Uint8Array(length).fill(byte),
  ),
);

const order = (key: Uint8Array, database = 1) =>
  encodeKvKey(rowKey({ database, key }));

Deno.test("rowKey() keeps the order of keys but within a long prefix", () => {
  fc.assert(
    fc.property(KEY, KEY, (a, b) => {
      const sign = Math.sign(compareBytes(a, b));
      const rows = Math.sign(compareBytes(order(a), order(b)));
      if (rows === sign) return;
      const rowA = parseRowKey(rowKey({ database: 1, key: a }))!;
      const rowB = parseRowKey(rowKey({ database: 1, key: b }))!;
      assert.ok(rowA.hash !== null && rowB.hash !== null);
      assert.equal(compareBytes(rowA.bytes, rowB.bytes), 0);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("rowBounds() holds the rows of a range and no short row beside", () => {
  fc.assert(
    fc.property(KEY, BOUND, BOUND, (key, start, end) => {
      if (compareBytes(start, end) >= 0) return;
      const bounds = rowBounds(1, { start, end });
      const row = order(key);
      const inRows = compareBytes(encodeKvKey(bounds.start), row) <= 0 &&
        compareBytes(row, encodeKvKey(bounds.end)) < 0;
      const inRange = compareBytes(start, key) <= 0 &&
        compareBytes(key, end) < 0;
      if (inRange) assert.ok(inRows, "a row of the range is within bounds");
      if (inRows && !inRange) {
        assert.ok(isLongKey(key), "only long rows are filtered by key");
        assert.ok(isLongKey(start) || isLongKey(end), "at a long bound");
      }
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("rowKey() gives databases disjoint, ordered ranges", () => {
  const key = new Uint8Array(2_070).fill(255);
  for (const [low, high] of [[1, 2], [255, 256], [9_999, 10_000]] as const) {
    const last = order(key, low);
    const first = order(Uint8Array.of(0), high);
    assert.ok(compareBytes(last, first) < 0);
  }
  assert.ok(compareBytes(encodeKvKey(META_KEY), order(Uint8Array.of(0))) < 0);
});

Deno.test("isLongKey() turns at 1,984 escaped bytes", () => {
  const max = ROW_KEY_ESCAPED_BYTES_MAX;
  const cases: readonly (readonly [Uint8Array, boolean])[] = [
    [new Uint8Array(max).fill(1), false],
    [new Uint8Array(max + 1).fill(1), true],
    [new Uint8Array(max / 2), false],
    [new Uint8Array(max / 2 + 1), true],
    [concatBytes(new Uint8Array(max - 2).fill(1), Uint8Array.of(0)), false],
    [concatBytes(new Uint8Array(max - 1).fill(1), Uint8Array.of(0)), true],
  ];
  for (const [key, long] of cases) {
    assert.equal(isLongKey(key), long);
    const { bytes } = parseRowKey(rowKey({ database: 1, key }))!;
    assert.ok(escapedBytes(bytes) <= max);
    if (long) assert.ok(escapedBytes(bytes) >= max - 1);
  }
});

Deno.test("every row key fits the backing store, cursors too", () => {
  for (const byte of [0, 1, 255]) {
    const key = new Uint8Array(CLIENT_KEY_BYTES_MAX).fill(byte);
    const row = rowKey({ database: 10_000, key });
    const expiry = expiryKey(Number.MAX_SAFE_INTEGER, row);
    const staged = stagedKey(2 ** 24, expiry);
    for (const each of [row, overflowKey(row), expiry, staged]) {
      assert.ok(encodeKvKey(each).length <= KV_KEY_BYTES_MAX);
      assert.ok(encodeKvKey(rowAfter(each)).length <= KV_KEY_BYTES_MAX + 1);
    }
    assert.deepEqual(parseNumberedKey(staged), {
      number: 2 ** 24,
      row: expiry,
    });
    assert.deepEqual(parseNumberedKey(expiry)?.row, row);
  }
});

Deno.test("parseRowKey() refuses what is no record's row", () => {
  const keys = [
    [0n, Uint8Array.of(1)],
    [1, Uint8Array.of(1)],
    [1n, "a"],
    [1n],
    [1n, Uint8Array.of(1), 1],
    [1n, Uint8Array.of(1), 1n, 1n],
  ];
  for (const key of keys) assert.equal(parseRowKey(key), null);
});

Deno.test("keyName() tells keys and databases apart", () => {
  const key = Uint8Array.of(1, 2);
  const name = keyName({ database: 1, key });
  assert.match(name, /^[0-9a-f]{8}$/);
  assert.notEqual(keyName({ database: 2, key }), name);
  assert.notEqual(keyName({ database: 1, key: key.subarray(1) }), name);
});
