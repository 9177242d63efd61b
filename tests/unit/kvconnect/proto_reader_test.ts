import assert from "node:assert/strict";
import { fromHex } from "../../../src/base/bytes.ts";
import { RequestInvalidError } from "../../../src/kvconnect/errors.ts";
import { ProtoReader } from "../../../src/kvconnect/proto_reader.ts";

function readerOf(hex: string): ProtoReader {
  const reader = new ProtoReader(fromHex(hex)!);
  reader.field();
  return reader;
}

const INT64: [hex: string, value: number][] = [
  ["0800", 0],
  ["0801", 1],
  ["087f", 127],
  ["088001", 128],
  ["08ffffff7f", 2 ** 28 - 1],
  ["088080808001", 2 ** 28],
  ["08ffffffff0f", 2 ** 32 - 1],
  ["088080808010", 2 ** 32],
  ["08808080808001", 2 ** 35],
  ["08ffffffffffffff0f", Number.MAX_SAFE_INTEGER],
  ["088080808080808010", Number.MAX_SAFE_INTEGER],
  ["08ffffffffffffffff7f", Number.MAX_SAFE_INTEGER],
  ["08ffffffffffffffffff01", -1],
  ["08feffffffffffffffff01", -2],
  ["0880808080808080808001", Number.MIN_SAFE_INTEGER],
  // Not shortest, and still a varint.
  ["08818000", 1],
];

for (const [hex, value] of INT64) {
  Deno.test(`int64() reads ${hex} as ${value}`, () => {
    assert.equal(readerOf(hex).int64(), value);
  });
}

Deno.test("int32() takes the low 32 bits", () => {
  assert.equal(readerOf("08ffffffffffffffffff01").int32(), -1);
  assert.equal(readerOf("088180808010").int32(), 1);
  assert.equal(readerOf("08ffffffff07").int32(), 2 ** 31 - 1);
});

Deno.test("bool() looks at all 64 bits", () => {
  assert.equal(readerOf("0800").bool(), false);
  assert.equal(readerOf("0802").bool(), true);
  assert.equal(readerOf("088080808010").bool(), true);
});

Deno.test("skip() passes over all wire types but groups", () => {
  // varint 300, fixed64, two bytes, fixed32; each of field 15, then field 1.
  for (
    const hex of ["78ac02", "790102030405060708", "7a02ffff", "7d01020304"]
  ) {
    const reader = new ProtoReader(fromHex(`${hex}0805`)!);
    assert.equal(reader.field(), 15);
    reader.skip();
    assert.equal(reader.field(), 1);
    assert.equal(reader.int32(), 5);
    assert.equal(reader.field(), 0);
  }
});

Deno.test("enter() keeps a message within its parent", () => {
  const reader = new ProtoReader(fromHex("0a0208051007")!);
  reader.field();
  const outer = reader.enter();
  assert.equal(reader.field(), 1);
  assert.equal(reader.int32(), 5);
  assert.equal(reader.field(), 0);
  reader.leave(outer);
  assert.equal(reader.field(), 2);
  assert.equal(reader.int32(), 7);
});

const MALFORMED: [name: string, hex: string, read: (r: ProtoReader) => void][] =
  [
    ["a varint cut short", "0880", (r) => r.int64()],
    ["a long varint cut short", "08ffffffffff", (r) => r.int64()],
    ["a varint of 11 bytes", "08ffffffffffffffffffff01", (r) => r.int64()],
    ["a varint over 64 bits", "08ffffffffffffffffff02", (r) => r.int64()],
    ["bytes cut short", "0a05ff", (r) => r.bytes()],
    ["a length over 4 GiB", "0affffffffff01", (r) => r.bytes()],
    ["a message beyond its parent", "0a0508", (r) => r.enter()],
    ["a fixed64 cut short", "0901020304050607", (r) => r.skip()],
    ["a fixed32 cut short", "0d010203", (r) => r.skip()],
    ["a group", "0b0c", (r) => r.skip()],
    ["an end of group", "0c", (r) => r.skip()],
    ["wire type 6", "0e", (r) => r.skip()],
    ["wire type 7", "0f", (r) => r.skip()],
    ["bytes where a number is due", "0a00", (r) => r.int32()],
    ["a number where bytes are due", "0801", (r) => r.bytes()],
    ["a nested value over its message's end", "0a020a02ffff", (r) => {
      r.enter();
      r.field();
      r.bytes();
    }],
  ];

for (const [name, hex, read] of MALFORMED) {
  Deno.test(`ProtoReader refuses ${name}`, () => {
    const reader = readerOf(hex);
    assert.throws(() => read(reader), RequestInvalidError);
  });
}

for (const hex of ["00", "02", "8080808010", "80"]) {
  Deno.test(`field() refuses the tag ${hex}`, () => {
    assert.throws(() => readerOf(hex), RequestInvalidError);
  });
}
