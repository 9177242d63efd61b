import assert from "node:assert/strict";
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  sealFrame,
} from "../../../src/wal/frame.ts";
import { FrameReader } from "../../../src/wal/frame_reader.ts";
import { SimDisk } from "../../sim/io/disk.ts";

const PAYLOADS = [10, 0, 3_000_000, 8, 700];

function frameOf(payloadBytes: number, frameSeq: number): Uint8Array {
  const frame = new Uint8Array(frameBytes(payloadBytes));
  frame.fill(frameSeq, FRAME_HEADER_BYTES);
  sealFrame(frame, {
    payloadBytes,
    frameSeq,
    durableSeq: 0,
    walId: 1,
    previousCrc: 0,
  });
  return frame;
}

async function fileOf(frames: readonly Uint8Array[], zeros: number) {
  const disk = new SimDisk({ seed: 1 });
  const file = await disk.open("s", "create");
  let at = 0;
  for (const frame of frames) {
    await file.writeAt(at, frame);
    at += frame.length;
  }
  await file.truncate(at + zeros);
  return { file, size: at + zeros, disk };
}

Deno.test("FrameReader.next() reads frames of all sizes, then the end", async () => {
  const frames = PAYLOADS.map((bytes, i) => frameOf(bytes, i + 1));
  for (const zeros of [0, 8, 100]) {
    const { file, size } = await fileOf(frames, zeros);
    const reader = new FrameReader(file, size);
    let offset = 0;
    for (const [i, payloadBytes] of PAYLOADS.entries()) {
      const read = await reader.next();
      assert.ok(read.kind === "frame");
      assert.equal(read.offset, offset);
      assert.equal(read.header.frameSeq, i + 1);
      assert.equal(read.payload.length, payloadBytes);
      assert.ok(read.payload.every((byte) => byte === i + 1));
      offset = read.until;
    }
    assert.deepEqual(await reader.next(), { kind: "end", offset });
    assert.deepEqual(await reader.next(), { kind: "end", offset });
  }
});

Deno.test("FrameReader.next() starts where it is told", async () => {
  const frames = [frameOf(10, 1), frameOf(20, 2)];
  const { file, size } = await fileOf(frames, 64);
  const reader = new FrameReader(file, size, frameBytes(10));
  const read = await reader.next();
  assert.ok(read.kind === "frame" && read.header.frameSeq === 2);
});

Deno.test("FrameReader.next() says what of a bad frame is right", async () => {
  const frames = [frameOf(10, 1), frameOf(2000, 2)];
  const { file, size, disk } = await fileOf(frames, 64);
  await file.sync();
  disk.flipBit("s", (frameBytes(10) + 500) * 8);
  const reader = new FrameReader(file, size);
  await reader.next();
  const body = await reader.next();
  assert.ok(body.kind === "bad" && body.header?.frameSeq === 2);
  disk.flipBit("s", (frameBytes(10) + 9) * 8);
  const header = await new FrameReader(file, size, frameBytes(10)).next();
  assert.ok(header.kind === "bad" && header.header === null);
});

Deno.test("FrameReader.next() refuses a frame longer than the file", async () => {
  const frame = frameOf(2000, 1);
  const { file } = await fileOf([frame], 0);
  const read = await new FrameReader(file, frame.length - 8).next();
  assert.ok(read.kind === "bad" && read.header?.payloadBytes === 2000);
});
