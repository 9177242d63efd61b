import assert from "node:assert/strict";
import {
  createParts,
  lockedDuring,
  openParts,
} from "../../../src/wal/opening.ts";
import { walPaths } from "../../../src/wal/paths.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import {
  type LoggedEvent,
  metadataAt,
  simWalOptions,
} from "../../sim/wal_model.ts";

const PATHS = walPaths("raft");

Deno.test("lockedDuring() lets go when the task fails", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir("raft");
  const failing = lockedDuring(disk, PATHS, () => {
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  const lock = await lockedDuring(disk, PATHS, (held) => Promise.resolve(held));
  const second = lockedDuring(disk, PATHS, () => Promise.resolve());
  await assert.rejects(second, { code: "WAL_LOCKED" });
  await lock.release();
});

Deno.test("openParts() finds what createParts() made", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir(PATHS.segments);
  await disk.syncDir(".");
  await disk.syncDir("raft");
  const events: LoggedEvent[] = [];
  const options = simWalOptions(disk, events);
  const lock = { release: () => Promise.resolve() };
  const founding = { metadata: metadataAt(7, 3) };
  const made = await createParts(options, PATHS, lock, founding);
  disk.restart("none");
  const found = await openParts(options, PATHS, lock);
  assert.deepEqual(found.position, made.position);
  assert.equal(found.walId, made.walId);
  assert.equal(found.view.storage.firstIndex(), 8);
  assert.equal(found.view.storage.term(7), 3);
  assert.equal(found.tailSuspect, null);
  // The anchor holds nothing yet: its slots are zeros.
  assert.deepEqual(events.map(({ event }) => event), [
    "wal_anchor_missing",
    "wal_opened",
  ]);
});

Deno.test("openParts() syncs what a process before it may have left", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir(PATHS.segments);
  const options = simWalOptions(disk);
  const lock = { release: () => Promise.resolve() };
  const founding = { metadata: metadataAt(1, 1) };
  const made = await createParts(options, PATHS, lock, founding);
  disk.trace.length = 0;
  await openParts(options, PATHS, lock);
  const name = made.files.current.name;
  for (const path of ["raft", PATHS.segments]) {
    assert.ok(disk.trace.includes(`syncDir ${path}`));
  }
  assert.ok(disk.trace.includes(`sync ${PATHS.segments}/${name}`));
  await made.files.close();
});
