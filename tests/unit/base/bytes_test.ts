import assert from "node:assert/strict";
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  getUint64,
  setUint64,
  toHex,
  utf8,
  viewOf,
} from "../../../src/base/bytes.ts";

const ORDERED = ["", "00", "0000", "01", "7f", "80", "80ff", "ff", "ff00"];

Deno.test("compareBytes() orders by unsigned bytes, prefixes first", () => {
  const bytes = ORDERED.map((hex) => fromHex(hex) ?? assert.fail(hex));
  bytes.forEach((a, i) => {
    bytes.forEach((b, j) => {
      assert.equal(Math.sign(compareBytes(a, b)), Math.sign(i - j));
      assert.equal(equalBytes(a, b), i === j);
    });
  });
});

Deno.test("toHex() and fromHex() mirror each other", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.deepEqual(fromHex(toHex(all)), all);
  assert.deepEqual(fromHex("AbCd"), new Uint8Array([0xab, 0xcd]));
  for (const bad of ["a", "0g", " 00", "0x00"]) {
    assert.equal(fromHex(bad), null);
  }
});

Deno.test("concatBytes() joins into fresh bytes", () => {
  const part = utf8("a");
  const joined = concatBytes(part);
  joined[0] = 0;
  assert.deepEqual(part, utf8("a"));
  assert.deepEqual(concatBytes(part, utf8(""), utf8("bc")), utf8("abc"));
});

Deno.test("setUint64() and getUint64() mirror each other up to 2^53 - 1", () => {
  const view = viewOf(new Uint8Array(8));
  for (const value of [0, 1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    setUint64(view, 0, value);
    assert.equal(view.getBigUint64(0), BigInt(value));
    assert.equal(getUint64(view, 0), value);
  }
  assert.throws(() => setUint64(view, 0, 2 ** 53), /safe integer/);
  assert.throws(() => setUint64(view, 0, -1), /safe integer/);
});

Deno.test("getUint64() answers null above 2^53 - 1", () => {
  const view = viewOf(new Uint8Array(8));
  view.setBigUint64(0, 2n ** 53n);
  assert.equal(getUint64(view, 0), null);
});
