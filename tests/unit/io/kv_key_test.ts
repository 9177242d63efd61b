import assert from "node:assert/strict";
import { toHex } from "../../../src/base/bytes.ts";
import type { KvKey } from "../../../src/io/kv.ts";
import {
  encodeKvKey,
  escapedBytes,
  kvKeyBytes,
} from "../../../src/io/kv_key.ts";

/** What Deno 2.9.6 puts on the wire (kvconnect.md §3.1). */
const VECTORS: readonly (readonly [name: string, key: KvKey, hex: string])[] = [
  ["a string", ["a"], "026100"],
  [
    "all types",
    ["n", 1, 2n, true, Uint8Array.of(0, 1)],
    "026e0021bff0000000000000150227" + "0100ff0100",
  ],
  [
    "special numbers",
    [-0, Infinity, -Infinity],
    "217fffffffffffffff21fff0000000000000210" + "00fffffffffffff",
  ],
  [
    "small bigints",
    [0n, 1n, -1n, 255n, 256n, -255n, -256n],
    "14150113fe15ff1601001300" + "12feff",
  ],
  [
    "big bigints",
    [2n ** 64n, -(2n ** 64n), 2n ** 64n - 1n],
    "1d090100000000000000000bf6feffffffffffffffff" + "1cffffffffffffffff",
  ],
  [
    "numbers",
    [0, 1, 2],
    "218000000000000000" + "21bff0000000000000" +
    "21c000000000000000",
  ],
  ["nothing", [], ""],
];

for (const [name, key, hex] of VECTORS) {
  Deno.test(`encodeKvKey() encodes ${name} as Deno does`, () => {
    assert.equal(toHex(encodeKvKey(key)), hex);
    assert.equal(kvKeyBytes(key), hex.length / 2);
  });
}

Deno.test("escapedBytes() counts zeros twice", () => {
  assert.equal(escapedBytes(new Uint8Array(0)), 0);
  assert.equal(escapedBytes(Uint8Array.of(1, 2)), 2);
  assert.equal(escapedBytes(Uint8Array.of(0, 1, 0, 0)), 7);
});
