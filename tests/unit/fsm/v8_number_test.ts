import assert from "node:assert/strict";
import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { encodeV8Number, parseV8Number } from "../../../src/fsm/v8_number.ts";

const READ: [hex: string, value: number | bigint, what: string][] = [
  ["ff105a100500000000000000", 5n, "Deno's 5n"],
  ["ff104902", 1, "Deno's 1"],
  ["ff0f4902", 1, "Node's 1"],
  ["ff0f4901", -1, "a negative i32"],
  ["ff0f49ffffffff0f", -(2 ** 31), "the smallest i32"],
  ["ff0f49feffffff0f", 2 ** 31 - 1, "the largest i32"],
  ["ff0f55ffffffff0f", 2 ** 32 - 1, "the largest u32"],
  ["ff0f4e000000000000f83f", 1.5, "a double"],
  ["ff0f00004e000000000000f83f", 1.5, "a padded double"],
  ["ff0f5a00", 0n, "0n"],
  ["ff0f5a110100000000000000", -1n, "-1n"],
];

for (const [hex, value, what] of READ) {
  Deno.test(`parseV8Number() reads ${what}`, () => {
    assert.equal(parseV8Number(bytesOf(hex)), value);
  });
}

const REFUSED: [hex: string, what: string][] = [
  ["", "nothing"],
  ["ff", "no version"],
  ["ff0f", "no value"],
  ["ff0f0000", "padding alone"],
  ["fe0f4902", "another head"],
  ["ff0f49", "an i32 cut short"],
  ["ff0f4982", "an endless varint"],
  ["ff0f49ffffffff1f", "an i32 too large"],
  ["ff0f498080808080808000", "a varint too long"],
  ["ff0f490200", "a byte after an i32"],
  ["ff0f4e000000000000f8", "a double cut short"],
  ["ff0f4e000000000000f83f00", "a byte after a double"],
  ["ff0f5a1001000000000000", "a bigint cut short"],
  ["ff0f5a10010000000000000000", "a byte after a bigint"],
  ["ff0f5a0201", "digits of 1 byte"],
  ["ff0f5affffffff0f", "a bigint longer than its bytes"],
  ["ff0f2203616263", "a string"],
  ["ff0f30", "null"],
  ["ff0f6e000000000000f83f", "a Number object"],
  ["ff0f7a100100000000000000", "a BigInt object"],
];

for (const [hex, what] of REFUSED) {
  Deno.test(`parseV8Number() refuses ${what}`, () => {
    assert.equal(parseV8Number(bytesOf(hex)), null);
  });
}

Deno.test("encodeV8Number() writes version 15, doubles and bigints", () => {
  assert.equal(toHex(encodeV8Number(1)), "ff0f4e000000000000f03f");
  assert.equal(toHex(encodeV8Number(5n)), "ff0f5a100500000000000000");
  assert.equal(toHex(encodeV8Number(0n)), "ff0f5a00");
});

Deno.test("encodeV8Number() writes one NaN, whatever the machine made", () => {
  const negative = new DataView(new ArrayBuffer(8));
  negative.setUint32(0, 0xfff80001);
  for (const nan of [NaN, negative.getFloat64(0), Infinity - Infinity]) {
    assert.equal(toHex(encodeV8Number(nan)), "ff0f4e000000000000f87f");
  }
});

const numbers = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n }),
  fc.constantFrom(-0, 2n ** 64n, 2n ** 64n - 1n, -(2n ** 63n), 2n ** 520_000n),
);

Deno.test("encodeV8Number() is read by V8 and by parseV8Number()", () => {
  fc.assert(fc.property(numbers, (value) => {
    const bytes = encodeV8Number(value);
    assert.ok(Object.is(deserialize(bytes), value));
    assert.ok(Object.is(parseV8Number(bytes), value));
  }));
});

Deno.test("parseV8Number() reads what V8 writes", () => {
  fc.assert(fc.property(numbers, (value) => {
    const bytes = new Uint8Array(serialize(value));
    assert.ok(Object.is(parseV8Number(bytes), value));
  }));
});

Deno.test("parseV8Number() survives any bytes", () => {
  const tagged = fc.tuple(
    fc.constantFrom("I", "U", "N", "Z", "\0"),
    fc.uint8Array({ maxLength: 20 }),
  ).map(([tag, rest]) => [0xff, 0x0f, tag.charCodeAt(0), ...rest]);
  fc.assert(fc.property(fc.oneof(tagged, fc.uint8Array()), (bytes) => {
    const value = parseV8Number(Uint8Array.from(bytes));
    assert.ok(value === null || ["number", "bigint"].includes(typeof value));
  }));
});

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  assert.ok(bytes !== null, hex);
  return bytes;
}
