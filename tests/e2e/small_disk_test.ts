import { ok, rejects } from "node:assert/strict";
import { failingDisk, fillableDisk, HAS_MOUNTS } from "./small_disk.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 8;

Deno.test({
  name: "fillableDisk() is full when broken, and not when repaired",
  ignore: !HAS_MOUNTS,
  async fn() {
    await using disk = await fillableDisk(4);
    await writeSynced(`${disk.path}/file`);
    await disk.breakDown();
    await rejects(() => writeSynced(`${disk.path}/other`), /os error 28/);
    await disk.repair();
    await writeSynced(`${disk.path}/other`);
  },
});

Deno.test({
  name: "failingDisk() fails syncs when broken",
  ignore: !HAS_MOUNTS,
  async fn() {
    await using disk = await failingDisk(DISK_MIB);
    await writeSynced(`${disk.path}/file`);
    await disk.breakDown();
    // Some of what is written next may still lie where something lay before.
    let error: Error | null = null;
    for (let i = 0; i < DISK_MIB && error === null; i += 1) {
      error = await writeSynced(`${disk.path}/other${i}`).then(
        () => null,
        (error) => error as Error,
      );
    }
    ok(error !== null && /os error (5|28|30)/.test(error.message), `${error}`);
  },
});

async function writeSynced(path: string): Promise<void> {
  using file = await Deno.create(path);
  await file.write(new Uint8Array(MIB).fill(7));
  await file.syncData();
}
