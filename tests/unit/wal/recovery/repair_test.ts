import assert from "node:assert/strict";
import { repairTail } from "../../../../src/wal/recovery/repair.ts";
import { parseSegmentName } from "../../../../src/wal/segment.ts";
import { segmentName } from "../../../../src/wal/segment.ts";
import { SimDisk } from "../../../sim/io/disk.ts";

Deno.test("repairTail() keeps a durable copy and leaves durable zeros", async () => {
  const disk = new SimDisk({ seed: 1 });
  const name = segmentName(1, 2);
  const segment = parseSegmentName(name)!;
  const file = await disk.open(`./${name}`, "create");
  await file.writeAndSync(0, new Uint8Array(3000).fill(7));
  await file.close();
  await disk.syncDir(".");
  const torn = { offset: 1000, until: 1700, entriesMax: 3 };
  for (let round = 0; round < 2; round += 1) {
    const copy = await repairTail(disk, ".", segment, torn);
    disk.restart("none");
    const saved = disk.durableBytes(`./${copy}`);
    assert.equal(saved?.length, 700);
    assert.ok(saved?.every((byte) => byte === (round === 0 ? 7 : 0)));
    const bytes = disk.durableBytes(`./${name}`);
    assert.ok(bytes?.subarray(1000, 1700).every((byte) => byte === 0));
    assert.ok(bytes?.subarray(0, 1000).every((byte) => byte === 7));
    assert.ok(bytes?.subarray(1700).every((byte) => byte === 7));
  }
});
