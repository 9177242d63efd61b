import assert from "node:assert/strict";
import { fillSpare } from "../../../src/wal/spare.ts";
import { SimDisk } from "../../sim/io/disk.ts";

Deno.test("fillSpare() writes zeros and syncs them", async () => {
  const disk = new SimDisk({ seed: 1 });
  const stale = await disk.open("next-0.tmp", "create");
  const bytes = 5 * 2 ** 20 + 24;
  await stale.writeAt(0, new Uint8Array(bytes + 8).fill(9));
  await disk.syncDir(".");
  const spare = await fillSpare(disk, "next-0.tmp", bytes);
  assert.deepEqual(spare, { path: "next-0.tmp", bytes });
  await disk.syncDir(".");
  disk.restart("none");
  const durable = disk.durableBytes("next-0.tmp");
  assert.equal(durable?.length, bytes);
  assert.ok(durable?.every((byte) => byte === 0));
});

Deno.test("fillSpare() stops when told", async () => {
  const disk = new SimDisk({ seed: 1 });
  const spare = await fillSpare(disk, "next-0.tmp", 100, () => true);
  assert.equal(spare, null);
});
