import assert from "node:assert/strict";
import { DataDirLockedError } from "../../../src/node/errors.ts";
import { dataDirPaths, lockDataDir } from "../../../src/node/data_dir.ts";
import { SimDisk } from "../../sim/io/disk.ts";

const PATHS = dataDirPaths("/var/data");

Deno.test("lockDataDir() makes the names of new directories durable", async () => {
  const disk = new SimDisk({ seed: 1 });
  await lockDataDir(disk, PATHS);
  disk.restart("none");
  assert.ok(await disk.exists("/var/data"));
});

Deno.test("lockDataDir() syncs what an earlier start left unsynced", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir("/var");
  await disk.syncDir("/");
  await disk.makeDir("/var/data");
  await lockDataDir(disk, PATHS);
  disk.restart("none");
  assert.ok(await disk.exists("/var/data"));
});

Deno.test("lockDataDir() refuses a second holder", async () => {
  const disk = new SimDisk({ seed: 1 });
  const lock = await lockDataDir(disk, PATHS);
  await assert.rejects(lockDataDir(disk, PATHS), DataDirLockedError);
  await lock.release();
  await (await lockDataDir(disk, PATHS)).release();
});
