import assert from "node:assert/strict";
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  sealFrame,
} from "../../../../src/wal/frame.ts";
import { FrameReader } from "../../../../src/wal/frame_reader.ts";
import type { Anchor } from "../../../../src/wal/anchor.ts";
import { classifyTail } from "../../../../src/wal/recovery/tail.ts";
import { SimDisk } from "../../../sim/io/disk.ts";

const SIZE = 4096;
const AT = 104;

function frameOf(frameSeq: number, payloadBytes: number): Uint8Array {
  const frame = new Uint8Array(frameBytes(payloadBytes));
  frame.fill(0xee, FRAME_HEADER_BYTES);
  sealFrame(frame, {
    payloadBytes,
    frameSeq,
    durableSeq: frameSeq - 1,
    walId: 7,
    previousCrc: 1,
  });
  return frame;
}

function anchorOf(frameSeq: number, cleanShutdown: boolean): Anchor {
  const place = { segment: 1, offset: AT, frameCrc: 1 };
  return { ...place, walId: 7, frameSeq, cleanShutdown };
}

/** Classifies a tail of `bytes` at 104, behind frame 4. */
async function classified(bytes: Uint8Array, anchor: Anchor | null = null) {
  const disk = new SimDisk({ seed: 1 });
  const file = await disk.open("s", "create");
  await file.truncate(SIZE);
  await file.writeAt(AT, bytes);
  const read = await new FrameReader(file, SIZE, AT).next();
  assert.ok(read.kind !== "frame");
  return classifyTail(file, SIZE, read, {
    place: { segment: "s", offset: AT, expectedSeq: 5 },
    walId: 7,
    link: { frameSeq: 4, frameCrc: 1 },
    anchor,
  });
}

const DAMAGED = { code: "WAL_DAMAGED" };

Deno.test("classifyTail() finds nothing in zeros", async () => {
  assert.equal(await classified(new Uint8Array(10)), null);
});

Deno.test("classifyTail() calls a frame cut at any word torn", async () => {
  const frame = frameOf(5, 1500);
  for (let cut = 8; cut < frame.length - 8; cut += 8) {
    const torn = await classified(frame.subarray(0, cut));
    assert.equal(torn?.offset, AT);
    assert.equal(torn?.until, AT + cut);
    assert.ok((torn?.entriesMax ?? 0) >= 1500 / 22, `${cut}`);
  }
});

Deno.test("classifyTail() calls a frame without its first sector torn", async () => {
  const frame = frameOf(5, 1500);
  frame.fill(0, 0, 512 - AT);
  assert.equal((await classified(frame))?.until, AT + 40 + 1500);
});

Deno.test("classifyTail() refuses a whole frame with any bit flipped", async () => {
  const frame = frameOf(5, 700);
  for (let at = 0; at < 740; at += 1) {
    const rotted = frame.slice();
    rotted[at] = (rotted[at] ?? 0) ^ 1 << (at & 7);
    await assert.rejects(classified(rotted), DAMAGED, `byte ${at}`);
  }
});

Deno.test("classifyTail() refuses a cut frame that was durable", async () => {
  const cut = frameOf(5, 1500).subarray(0, 600);
  assert.notEqual(await classified(cut, anchorOf(4, false)), null);
  await assert.rejects(classified(cut, anchorOf(5, false)), DAMAGED);
  await assert.rejects(classified(cut, anchorOf(4, true)), DAMAGED);
  assert.notEqual(await classified(cut, anchorOf(3, true)), null);
});

Deno.test("classifyTail() refuses a cut frame that others follow", async () => {
  const tail = new Uint8Array(1600);
  tail.set(frameOf(5, 700).subarray(0, 500));
  tail.set(frameOf(6, 10), 744);
  await assert.rejects(classified(tail), /frame 6 follows/);
});

Deno.test("classifyTail() refuses a cut frame of another place", async () => {
  const cut = frameOf(3, 1500).subarray(0, 600);
  await assert.rejects(classified(cut), /holds frame 3/);
});
