import assert from "node:assert/strict";
import {
  FRAME_HEADER_BYTES,
  frameBodyHolds,
  openFrameHeader,
} from "../../../src/wal/frame.ts";
import {
  isSpareName,
  parseSegmentName,
  segmentCapacity,
  segmentHeaderFrame,
  segmentName,
} from "../../../src/wal/segment.ts";
import { foundedHeader } from "./states.ts";

const MIB = 2 ** 20;

Deno.test("parseSegmentName() reads what segmentName() wrote", () => {
  const name = segmentName(10, 2 ** 40);
  assert.equal(name, "000000000000000a-0000010000000000.seg");
  const expected = { sequence: 10, name, nextIndex: 2 ** 40 };
  assert.deepEqual(parseSegmentName(name), expected);
});

Deno.test("parseSegmentName() refuses other names", () => {
  const others = [
    "a-1.seg",
    "next-0.tmp",
    "000000000000000a-0000010000000000.seg.torn",
    "000000000000000A-0000010000000000.seg",
    "ffffffffffffffff-0000000000000001.seg",
    "0000000000000001-ffffffffffffffff.seg",
  ];
  for (const name of others) assert.equal(parseSegmentName(name), null, name);
});

Deno.test("isSpareName() knows prepared files", () => {
  assert.equal(isSpareName("next-0.tmp"), true);
  assert.equal(isSpareName("next-10.tmp"), false);
  assert.equal(isSpareName(segmentName(1, 1)), false);
});

Deno.test("segmentCapacity() grows to its limit", () => {
  const sizes = [1, 2, 3, 4, 1e9].map((n) => segmentCapacity(n, 64 * MIB));
  assert.deepEqual(sizes, [4 * MIB, 16 * MIB, 64 * MIB, 64 * MIB, 64 * MIB]);
  assert.equal(segmentCapacity(1, 1000), 1000);
});

Deno.test("segmentHeaderFrame() continues the chain", () => {
  const previous = { frameSeq: 6, frameCrc: 99 };
  const { frame, link } = segmentHeaderFrame(foundedHeader(1, 1), 7, previous);
  const header = openFrameHeader(frame);
  assert.ok(header !== null);
  assert.ok(frameBodyHolds(header, frame.subarray(FRAME_HEADER_BYTES)));
  assert.equal(header.frameSeq, 7);
  assert.equal(header.durableSeq, 6);
  assert.equal(header.previousCrc, 99);
  assert.deepEqual(link, { frameSeq: 7, frameCrc: header.headerCrc });
});
