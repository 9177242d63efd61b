import assert from "node:assert/strict";
import { fetchEntries } from "../../../src/wal/fetch.ts";
import { LogView } from "../../../src/wal/log_view.ts";
import { listSegments } from "../../../src/wal/segment_files.ts";
import { walPaths } from "../../../src/wal/paths.ts";
import { scanLog } from "../../../src/wal/recovery/scan.ts";
import { Wal } from "../../../src/wal/wal.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import {
  batchOf,
  entriesOf,
  entryAt,
  metadataAt,
  simWalOptions,
} from "../../sim/wal_model.ts";

const PATHS = walPaths("raft");

/** Entries 2 to 59 of term 1, then 40 to 59 again of term 2, in segments. */
async function logOn(disk: SimDisk): Promise<LogView> {
  const founding = { metadata: metadataAt(1, 1) };
  const wal = await Wal.create(simWalOptions(disk), founding);
  for (const [from, term] of [[2, 1], [40, 2]] as const) {
    for (const entry of entriesOf(from, 60, term, 100)) {
      await wal.append(
        batchOf([entry], { term, vote: 0, commit: 1 }),
      );
    }
  }
  await wal.close();
  const segments = await listSegments(disk, PATHS);
  const scanned = await scanLog(segments, {
    disk,
    dir: PATHS.segments,
    nodeName: "n1",
    anchor: null,
  });
  return scanned.view;
}

Deno.test("fetchEntries() reads any range, the newest version of each", async () => {
  const disk = new SimDisk({ seed: 1 });
  const view = await logOn(disk);
  const segments = await listSegments(disk, PATHS);
  const options = { disk, dir: PATHS.segments, segments, view };
  for (let from = 2; from < 60; from += 1) {
    const run = await fetchEntries(options, {
      from,
      until: 60,
      bytesMax: 1e6,
    });
    const wanted = Array.from(
      { length: 60 - from },
      (_, i) => entryAt(from + i, from + i < 40 ? 1 : 2, 100),
    );
    assert.deepEqual(run, wanted);
  }
  const few = await fetchEntries(options, {
    from: 30,
    until: 60,
    bytesMax: 250,
  });
  assert.equal(few.length, 2);
});

Deno.test("fetchEntries() refuses what rotted since the start", async () => {
  const disk = new SimDisk({ seed: 1 });
  const view = await logOn(disk);
  const segments = await listSegments(disk, PATHS);
  const place = view.places.find(30)!;
  const { name } = segments.find(({ sequence }) => sequence === place.segment)!;
  disk.flipBit(`${PATHS.segments}/${name}`, (place.offset + 60) * 8);
  const options = { disk, dir: PATHS.segments, segments, view };
  const range = { from: 30, until: 31, bytesMax: 1000 };
  await assert.rejects(fetchEntries(options, range), { code: "WAL_DAMAGED" });
});

Deno.test("fetchEntries() is void when entries were replaced", async () => {
  const disk = new SimDisk({ seed: 1 });
  const view = await logOn(disk);
  const segments = await listSegments(disk, PATHS);
  const options = { disk, dir: PATHS.segments, segments, view };
  const run = fetchEntries(options, { from: 30, until: 60, bytesMax: 1e6 });
  assert.equal(view.acceptEntry(entryAt(50, 2)), null);
  assert.deepEqual(await run, []);
});
