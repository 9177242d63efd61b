import assert from "node:assert/strict";
import {
  type Anchor,
  AnchorFile,
  decodeAnchor,
  encodeAnchor,
} from "../../../src/wal/anchor.ts";
import { SimDisk } from "../../sim/io/disk.ts";

const ANCHOR: Anchor = {
  walId: 0xdeadbeef,
  cleanShutdown: true,
  segment: 3,
  offset: 4096,
  frameSeq: 77,
  frameCrc: 0x12345678,
};

Deno.test("decodeAnchor() reads what encodeAnchor() wrote", () => {
  const slot = encodeAnchor(ANCHOR, 9);
  assert.equal(slot.length, 4096);
  assert.deepEqual(decodeAnchor(slot), { anchor: ANCHOR, generation: 9 });
});

Deno.test("decodeAnchor() refuses any flipped bit of its fields", () => {
  const slot = encodeAnchor(ANCHOR, 9);
  for (let bit = 0; bit < 56 * 8; bit += 1) {
    const damaged = slot.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    assert.equal(decodeAnchor(damaged), null, `bit ${bit}`);
  }
  assert.equal(decodeAnchor(slot.subarray(0, 40)), null);
});

Deno.test("AnchorFile.write() keeps the older slot whole", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir("d");
  await disk.syncDir(".");
  const file = await AnchorFile.open(disk, "d", "d/anchor");
  for (let frameSeq = 1; frameSeq <= 3; frameSeq += 1) {
    await file.write({ ...ANCHOR, frameSeq });
  }
  await file.close();
  assert.equal((await AnchorFile.read(disk, "d/anchor"))?.frameSeq, 3);
  // Generation 3 is in the odd slot; without it the even one counts.
  disk.flipBit("d/anchor", (4096 + 20) * 8);
  assert.equal((await AnchorFile.read(disk, "d/anchor"))?.frameSeq, 2);
  const again = await AnchorFile.open(disk, "d", "d/anchor");
  await again.write({ ...ANCHOR, frameSeq: 4 });
  await again.close();
  assert.equal((await AnchorFile.read(disk, "d/anchor"))?.frameSeq, 4);
});

Deno.test("AnchorFile.read() is null without a file", async () => {
  const disk = new SimDisk({ seed: 1 });
  assert.equal(await AnchorFile.read(disk, "anchor"), null);
});
