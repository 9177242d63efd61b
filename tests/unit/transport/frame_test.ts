import assert from "node:assert/strict";
import { type Bytes, concatBytes } from "../../../src/base/bytes.ts";
import { TransportFrameInvalidError } from "../../../src/transport/errors.ts";
import {
  encodeFrame,
  type Frame,
  FRAME_HEADER_BYTES,
  FrameReader,
} from "../../../src/transport/frame.ts";

const BODIES = [0, 1, 8, 9, 10, 300].map((length) =>
  Uint8Array.from({ length }, (_, i) => i * 3)
);
const STREAM = concatBytes(
  ...BODIES.map((body, i) => encodeFrame(i + 1, body)),
);

function readAll(chunks: readonly Bytes[], frameBytesMax = 300): Frame[] {
  const reader = new FrameReader(frameBytesMax);
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let frame = reader.next(); frame !== null; frame = reader.next()) {
      frames.push(frame);
    }
  }
  return frames;
}

for (const size of [1, 2, 8, 9, 10, 11, 64, STREAM.length]) {
  Deno.test(`FrameReader reads chunks of ${size} bytes`, () => {
    const chunks: Bytes[] = [];
    for (let at = 0; at < STREAM.length; at += size) {
      chunks.push(STREAM.slice(at, at + size));
    }
    assert.deepEqual(
      readAll(chunks),
      BODIES.map((body, i) => ({ type: i + 1, body })),
    );
  });
}

Deno.test("FrameReader refuses a length before it allocates for it", () => {
  const header = encodeFrame(1).slice();
  for (const length of [301, 0x7fffffff, 0xffffffff]) {
    new DataView(header.buffer).setUint32(0, length);
    assert.throws(() => readAll([header]), TransportFrameInvalidError);
  }
  assert.equal(readAll([encodeFrame(1, new Uint8Array(300))]).length, 1);
  assert.throws(
    () => readAll([encodeFrame(1, new Uint8Array(301))]),
    TransportFrameInvalidError,
  );
});

Deno.test("FrameReader.allow() lets longer frames begin", () => {
  const reader = new FrameReader(4);
  reader.push(encodeFrame(1, new Uint8Array(4)));
  assert.equal(reader.next()?.type, 1);
  reader.allow(5);
  reader.push(encodeFrame(2, new Uint8Array(5)));
  assert.equal(reader.next()?.type, 2);
});

Deno.test("FrameReader refuses any flipped bit", () => {
  const frame = encodeFrame(6, Uint8Array.of(1, 2, 3));
  for (let bit = 0; bit < frame.length * 8; bit += 1) {
    const damaged = frame.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    const reader = new FrameReader(1000);
    reader.push(damaged);
    try {
      // A longer length waits for bytes that never come.
      assert.equal(reader.next(), null);
      assert.ok(bit < 32);
    } catch (error) {
      assert.ok(error instanceof TransportFrameInvalidError);
    }
  }
});

Deno.test("FrameReader gives views of whole frames, copies of cut ones", () => {
  const frame = encodeFrame(6, Uint8Array.of(1, 2, 3));
  const reader = new FrameReader(10);
  reader.push(frame);
  assert.equal(reader.next()?.body.buffer, frame.buffer);
  reader.push(frame.slice(0, 10));
  assert.equal(reader.next(), null);
  reader.push(frame.slice(10));
  assert.deepEqual(reader.next()?.body, Uint8Array.of(1, 2, 3));
  assert.equal(reader.unread, 0);
  assert.equal(frame.length, FRAME_HEADER_BYTES + 3);
});
