import assert from "node:assert/strict";
import type { Clock } from "../../../src/io/clock.ts";
import { Wal } from "../../../src/wal/wal.ts";
import { headerOf } from "../../../src/wal/writer.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import {
  batchOf,
  entryAt,
  metadataAt,
  simWalOptions,
} from "../../sim/wal_model.ts";
import { foundedHeader, foundedState } from "./states.ts";

const FOUNDING = { metadata: metadataAt(1, 1) };

Deno.test("headerOf() is all that a later segment must repeat", () => {
  const options = { nodeName: "n1", clusterId: new Uint8Array(16) };
  assert.deepEqual(
    headerOf(options, foundedState(7, 2), 1),
    foundedHeader(7, 2),
  );
});

Deno.test("Writer splits what is queued into groups of 4 MiB", async () => {
  const disk = new SimDisk({ seed: 1 });
  const wal = await Wal.create(simWalOptions(disk, [], 2 ** 24), FOUNDING);
  const before = wal.counters.syncs;
  const waiting: Promise<void>[] = [];
  for (let index = 2; index < 12; index += 1) {
    waiting.push(wal.append(batchOf([entryAt(index, 1, 2 ** 20)])));
  }
  await Promise.all(waiting);
  // Three a group, and one new segment on the way.
  assert.equal(wal.counters.syncs - before, 4 + 1);
  await wal.close();
});

Deno.test("Writer splits what is queued into groups of 512 batches", async () => {
  const disk = new SimDisk({ seed: 1 });
  const wal = await Wal.create(simWalOptions(disk, [], 2 ** 20), FOUNDING);
  const before = wal.counters.syncs;
  const waiting: Promise<void>[] = [];
  for (let index = 2; index < 1026; index += 1) {
    waiting.push(wal.append(batchOf([entryAt(index, 1)])));
  }
  await Promise.all(waiting);
  assert.equal(wal.counters.syncs - before, 2);
  await wal.close();
});

Deno.test("Writer syncs what it writes with every frame", async () => {
  const disk = new SimDisk({ seed: 1 });
  const wal = await Wal.create(simWalOptions(disk, [], 2 ** 16), FOUNDING);
  disk.trace.length = 0;
  await wal.append(batchOf([entryAt(2, 1)]));
  const own = disk.trace.filter((line) => line.includes(".seg"));
  assert.equal(own.length, 2);
  assert.match(own[0] ?? "", /^write/);
  assert.match(own[1] ?? "", /^sync/);
  await wal.close();
});

Deno.test("Writer anchors at most every five seconds", async () => {
  const disk = new SimDisk({ seed: 1 });
  let now = 0;
  const clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => now,
    soon: queueMicrotask,
    after: () => ({ cancel: () => {} }),
  };
  const wal = await Wal.create(
    { ...simWalOptions(disk, [], 2 ** 16), clock },
    FOUNDING,
  );
  disk.trace.length = 0;
  for (let index = 2; index < 42; index += 1) {
    now += 500;
    await wal.append(batchOf([entryAt(index, 1)]));
  }
  const anchors = disk.trace.filter((line) => /^write .*anchor/.test(line));
  assert.ok(anchors.length >= 3 && anchors.length <= 4, `${anchors.length}`);
  await wal.close();
});
