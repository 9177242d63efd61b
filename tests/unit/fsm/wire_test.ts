import assert from "node:assert/strict";
import fc from "fast-check";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { WireReader, WireWriter } from "../../../src/fsm/wire.ts";

const VARINTS: [value: number, hex: string][] = [
  [0, "00"],
  [1, "01"],
  [127, "7f"],
  [128, "8001"],
  [16_383, "ff7f"],
  [16_384, "808001"],
  [2 ** 31, "8080808008"],
  [2 ** 32 - 1, "ffffffff0f"],
  [2 ** 53 - 1, "ffffffffffffff0f"],
];

for (const [value, hex] of VARINTS) {
  Deno.test(`WireWriter.varint() writes ${value} as ${hex}, read back`, () => {
    const writer = new WireWriter(10);
    writer.varint(value);
    const bytes = writer.finish();
    assert.equal(toHex(bytes), hex);
    const reader = new WireReader(bytes, 0);
    assert.equal(reader.varint(bytes.length), value);
    assert.equal(reader.at, bytes.length);
  });
}

const BAD_VARINTS: [hex: string, rule: RegExp][] = [
  ["", /must not end early/],
  ["80", /must not end early/],
  ["8000", /as short as they can/],
  ["ff00", /as short as they can/],
  ["ffffffffffffff10", /below 2\^53/],
  ["8080808080808080808001", /below 2\^53/],
  ["80808080808080808080808000", /below 2\^53/],
];

for (const [hex, message] of BAD_VARINTS) {
  Deno.test(`WireReader.varint() refuses "${hex}"`, () => {
    const reader = readerOf(hex);
    assert.throws(
      () => reader.varint(reader.bytes.length),
      (error) =>
        error instanceof CommandMalformedError && message.test(error.message),
    );
  });
}

Deno.test("WireReader.number() refuses a default written out", () => {
  assert.throws(() => readerOf("00").number(1), /defaults must be left out/);
  assert.equal(readerOf("01").number(1), 1);
});

Deno.test("WireReader.end() refuses a length past its bound", () => {
  assert.equal(readerOf("02aabb").end(3), 3);
  assert.throws(() => readerOf("03aabb").end(3), /must not end early/);
  assert.throws(() => readerOf("02aabb").end(2), /must not end early/);
});

Deno.test("WireReader.data() returns a view, never an empty one", () => {
  const reader = readerOf("02aabb");
  const data = reader.data(3);
  assert.equal(toHex(data), "aabb");
  assert.equal(data.buffer, reader.bytes.buffer);
  assert.throws(() => readerOf("00").data(1), /defaults must be left out/);
});

Deno.test("WireReader.tag() refuses to read past its bound", () => {
  assert.throws(() => readerOf("08").tag(0), CommandMalformedError);
});

Deno.test("WireWriter leaves out defaults but keeps empty messages", () => {
  const writer = new WireWriter(10);
  writer.numberField(1, 0);
  writer.bytesField(2, new Uint8Array(0));
  assert.equal(writer.written, 0);
  writer.messageHead(3, 0);
  assert.equal(toHex(writer.finish()), "1a00");
});

Deno.test("WireWriter.messageHead() heads what was written since", () => {
  const writer = new WireWriter(10);
  writer.numberField(2, 5);
  const since = writer.written;
  writer.numberField(1, 300);
  writer.messageHead(1, since);
  assert.equal(toHex(writer.finish()), "0a0308ac021005");
});

Deno.test("WireWriter.finish() asserts that the capacity was enough", () => {
  const writer = new WireWriter(1);
  writer.varint(300);
  assert.throws(() => writer.finish(), InvariantError);
});

Deno.test("WireReader.varint() takes one form of each number", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
    const reader = new WireReader(bytes, 0);
    let value: number;
    try {
      value = reader.varint(bytes.length);
    } catch (error) {
      assert.ok(error instanceof CommandMalformedError);
      return;
    }
    const writer = new WireWriter(10);
    writer.varint(value);
    assert.deepEqual(writer.finish(), bytes.slice(0, reader.at));
  }));
});

function readerOf(hex: string): WireReader {
  const bytes = fromHex(hex);
  assert.ok(bytes !== null);
  return new WireReader(bytes, 0);
}
