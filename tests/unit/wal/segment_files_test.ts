import assert from "node:assert/strict";
import type { LogLevel } from "../../../src/io/log.ts";
import { walPaths } from "../../../src/wal/paths.ts";
import { listSegments, SegmentFiles } from "../../../src/wal/segment_files.ts";
import { SimDisk } from "../../sim/io/disk.ts";

const PATHS = walPaths("raft");

async function filesOn(disk: SimDisk, segmentBytes = 1000) {
  await disk.makeDir(PATHS.segments);
  await disk.syncDir(".");
  await disk.syncDir("raft");
  const events: string[] = [];
  const log = {
    write: (_: LogLevel, event: string) => void events.push(event),
  };
  const segments = await listSegments(disk, PATHS);
  const options = { disk, log, paths: PATHS, segmentBytes };
  return { files: new SegmentFiles(options, segments), events };
}

async function names(disk: SimDisk): Promise<string[]> {
  return (await disk.list(PATHS.segments)).map(({ name }) => name);
}

Deno.test("SegmentFiles.roll() makes the header and the name durable", async () => {
  const disk = new SimDisk({ seed: 1 });
  const { files } = await filesOn(disk);
  const frame = new Uint8Array(64).fill(7);
  await files.roll(5, frame, 100);
  assert.equal(files.capacity, 1000);
  disk.restart("none");
  const [segment] = await listSegments(disk, PATHS);
  assert.equal(segment?.nextIndex, 5);
  const bytes = disk.durableBytes(`${PATHS.segments}/${segment?.name}`);
  assert.deepEqual(bytes?.subarray(0, 64), frame);
  assert.ok(bytes?.subarray(64).every((byte) => byte === 0));
});

Deno.test("SegmentFiles.roll() makes room for a longer frame", async () => {
  const disk = new SimDisk({ seed: 1 });
  const { files } = await filesOn(disk);
  await files.roll(5, new Uint8Array(64), 100);
  await files.roll(6, new Uint8Array(64), 3000);
  assert.equal(files.capacity, 3064);
  assert.equal(files.current.sequence, 2);
  await files.close();
  assert.ok((await names(disk)).every((name) => name.endsWith(".seg")));
});

Deno.test("SegmentFiles.roll() never uses a file that was a segment", async () => {
  const disk = new SimDisk({ seed: 1 });
  const { files } = await filesOn(disk);
  for (const index of [1, 10, 20]) {
    await files.roll(index, new Uint8Array(64).fill(1), 0);
  }
  await files.purge(15);
  disk.trace.length = 0;
  await files.roll(30, new Uint8Array(64).fill(1), 0);
  const renames = disk.trace.filter((line) => line.startsWith("rename"));
  assert.ok(renames.length === 1 && /next-[01]\.tmp/.test(renames[0] ?? ""));
  await files.close();
});

Deno.test("SegmentFiles.purge() removes whole segments below the floor", async () => {
  const disk = new SimDisk({ seed: 1 });
  const { files } = await filesOn(disk);
  for (const index of [1, 10, 20, 30]) {
    await files.roll(index, new Uint8Array(64), 0);
  }
  const cases: [floor: number, first: number][] = [
    [8, 1],
    [9, 10],
    [28, 20],
    [99, 30],
  ];
  for (const [floor, first] of cases) {
    assert.equal((await files.purge(floor)).nextIndex, first);
    assert.equal(files.segments[0]?.nextIndex, first);
  }
  await files.close();
  disk.restart("none");
  assert.equal((await listSegments(disk, PATHS)).length, 1);
});

Deno.test("SegmentFiles.roll() goes on without a spare that failed", async () => {
  const disk = new SimDisk({ seed: 1 });
  const { files, events } = await filesOn(disk);
  disk.capacityBytes = 1500;
  await files.roll(1, new Uint8Array(64), 0);
  await assert.rejects(files.roll(10, new Uint8Array(64), 0), {
    code: "IO_NO_SPACE",
  });
  assert.deepEqual(events, ["wal_spare_failed"]);
  await files.close();
});

Deno.test("SegmentFiles.removeSpares() leaves segments and torn tails", async () => {
  const disk = new SimDisk({ seed: 1 });
  const { files } = await filesOn(disk);
  for (const name of ["next-0.tmp", "x.torn", "1.seg"]) {
    await (await disk.open(`${PATHS.segments}/${name}`, "create")).close();
  }
  await files.removeSpares();
  assert.deepEqual(await names(disk), ["1.seg", "x.torn"]);
});
