import assert from "node:assert/strict";
import { DiskError } from "../../../src/io/errors.ts";
import { CRASH_KINDS, SimCrash, SimDisk } from "./disk.ts";

async function diskWith(seed: number): Promise<SimDisk> {
  const disk = new SimDisk({ seed });
  await disk.makeDir("d");
  await disk.syncDir(".");
  const file = await disk.open("d/a", "create");
  await file.writeAndSync(0, new Uint8Array(2048).fill(1));
  await disk.syncDir("d");
  return disk;
}

Deno.test("SimDisk.restart() loses names that were not synced", async () => {
  for (const kept of [true, false]) {
    const disk = await diskWith(1);
    const file = await disk.open("d/b", "create");
    await file.writeAndSync(0, Uint8Array.of(1));
    await disk.rename("d/b", "d/c");
    if (kept) await disk.syncDir("d");
    disk.restart("none");
    assert.equal(await disk.exists("d/c"), kept);
    assert.equal(await disk.exists("d/b"), false);
    assert.equal(await disk.exists("d/a"), true);
  }
});

Deno.test("SimDisk.restart() keeps sectors as its kind says", async () => {
  for (const kind of CRASH_KINDS) {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const disk = await diskWith(seed);
      const file = await disk.open("d/a", "existing");
      await file.writeAt(0, new Uint8Array(2048).fill(2));
      disk.restart(kind);
      const bytes = disk.durableBytes("d/a") ?? new Uint8Array(0);
      assert.equal(bytes.length, 2048);
      outcomes.add([0, 512, 1024, 1536].map((at) => bytes[at]).join(""));
    }
    const expected: Record<string, (outcome: string) => boolean> = {
      none: (outcome) => outcome === "1111",
      all: (outcome) => outcome === "2222",
      prefix: (outcome) => /^2*1*$/.test(outcome),
      torn: (outcome) => /^2*1*$/.test(outcome),
      reordered: () => true,
      mixed: () => true,
    };
    for (const outcome of outcomes) assert.ok(expected[kind]?.(outcome), kind);
    if (kind === "reordered") assert.ok(outcomes.has("1212"));
  }
});

Deno.test("SimDisk.crashAt ends every handle of that life", async () => {
  const disk = await diskWith(1);
  const file = await disk.open("d/a", "existing");
  disk.crashAt = disk.operations + 2;
  await assert.rejects(file.writeAndSync(0, Uint8Array.of(7)), SimCrash);
  await assert.rejects(file.size(), SimCrash);
  disk.restart("none");
  await assert.rejects(file.size(), SimCrash);
  assert.equal(disk.durableBytes("d/a")?.[0], 1);
});

Deno.test("SimDisk.failSyncAt loses the pages for good", async () => {
  const disk = await diskWith(1);
  const file = await disk.open("d/a", "existing");
  disk.failSyncAt = disk.syncs + 1;
  await assert.rejects(file.writeAndSync(0, Uint8Array.of(7)), DiskError);
  await file.sync();
  assert.equal((await file.readAt(0, 1))[0], 7);
  disk.restart("all");
  assert.equal(disk.durableBytes("d/a")?.[0], 1);
});

Deno.test("SimDisk.capacityBytes refuses growth", async () => {
  const disk = await diskWith(1);
  disk.capacityBytes = 2048;
  const file = await disk.open("d/a", "existing");
  await file.writeAt(2047, Uint8Array.of(7));
  const full = (error: unknown) =>
    error instanceof DiskError && error.code === "IO_NO_SPACE";
  await assert.rejects(file.writeAt(2048, Uint8Array.of(7)), full);
});
