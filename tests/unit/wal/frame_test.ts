import assert from "node:assert/strict";
import {
  claimedPayloadBytes,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBodyHolds,
  frameBytes,
  hasMagicAt,
  isZero,
  lastNonZero,
  openFrameHeader,
  sealFrame,
} from "../../../src/wal/frame.ts";

const HEADER = { frameSeq: 5, durableSeq: 4, walId: 7, previousCrc: 9 };

function frameOf(payloadBytes: number): Uint8Array {
  const frame = new Uint8Array(frameBytes(payloadBytes)).fill(0xff);
  for (let i = 0; i < payloadBytes; i += 1) frame[FRAME_HEADER_BYTES + i] = i;
  sealFrame(frame, { ...HEADER, payloadBytes });
  return frame;
}

Deno.test("frameBytes() pads to 8", () => {
  const cases: [payload: number, whole: number][] = [
    [0, 40],
    [1, 48],
    [8, 48],
    [9, 56],
  ];
  for (const [payload, whole] of cases) {
    assert.equal(frameBytes(payload), whole);
  }
});

Deno.test("openFrameHeader() reads what sealFrame() wrote", () => {
  for (const payloadBytes of [0, 1, 7, 8, 9, 1000]) {
    const frame = frameOf(payloadBytes);
    const header = openFrameHeader(frame);
    assert.ok(header !== null);
    const { payloadCrc: _, headerCrc, ...rest } = header;
    assert.deepEqual(rest, { ...HEADER, payloadBytes });
    assert.equal(headerCrc, sealFrame(frame, { ...HEADER, payloadBytes }));
    assert.ok(frameBodyHolds(header, frame.subarray(FRAME_HEADER_BYTES)));
    assert.ok(hasMagicAt(new DataView(frame.buffer), 0));
  }
});

Deno.test("a frame with any bit flipped is not whole", () => {
  const frame = frameOf(13);
  for (let bit = 0; bit < frame.length * 8; bit += 1) {
    const damaged = frame.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    const header = openFrameHeader(damaged);
    const body = damaged.subarray(FRAME_HEADER_BYTES);
    const holds = header !== null && frameBodyHolds(header, body);
    assert.equal(holds, false, `bit ${bit}`);
  }
});

Deno.test("sealFrame() refuses a payload above the limit", () => {
  const frame = new Uint8Array(8);
  const payloadBytes = FRAME_PAYLOAD_BYTES_MAX + 1;
  assert.throws(() => sealFrame(frame, { ...HEADER, payloadBytes }));
});

Deno.test("claimedPayloadBytes() trusts no length above the limit", () => {
  const frame = frameOf(700);
  assert.equal(claimedPayloadBytes(frame), 700);
  assert.equal(claimedPayloadBytes(frame.subarray(0, 7)), 0);
  frame[4] = 0xff;
  assert.equal(claimedPayloadBytes(frame), 0);
});

Deno.test("openFrameHeader() refuses short input", () => {
  assert.equal(openFrameHeader(frameOf(0).subarray(0, 39)), null);
});

Deno.test("lastNonZero() finds the last byte at any alignment", () => {
  for (let start = 0; start < 4; start += 1) {
    for (let length = 0; length < 40; length += 1) {
      const bytes = new Uint8Array(64).subarray(start, start + length);
      assert.equal(lastNonZero(bytes), -1);
      assert.equal(isZero(bytes), true);
      for (let at = 0; at < length; at += 1) {
        bytes.fill(0);
        bytes[at] = 1;
        bytes[0] = 1;
        assert.equal(lastNonZero(bytes), at);
        assert.equal(isZero(bytes), false);
      }
    }
  }
});
