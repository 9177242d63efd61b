import assert from "node:assert/strict";
import { openDenoDisk } from "../../src/io/deno/disk.ts";
import { DiskNoSpaceError } from "../../src/io/errors.ts";
import { SimDisk } from "../sim/io/disk.ts";
import { runDiskContract } from "./disk_contract.ts";

runDiskContract("SimDisk", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir("root");
  return { disk, root: "root", dispose: () => Promise.resolve() };
});

runDiskContract("DenoDisk", async () => {
  const disk = openDenoDisk();
  const root = await Deno.makeTempDir({ prefix: "sealkv-disk-" });
  return {
    disk,
    root,
    async dispose() {
      await disk.close();
      await Deno.remove(root, { recursive: true });
    },
  };
});

Deno.test({
  name: "DenoDisk: writes name a full disk on both paths",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const disk = openDenoDisk();
    const file = await disk.open("/dev/full", "existing");
    const full = (error: unknown) =>
      error instanceof DiskNoSpaceError && error.path === "/dev/full" &&
      error.action === "write" && error.code === "IO_NO_SPACE";
    await assert.rejects(file.writeAt(0, Uint8Array.of(1)), full);
    await assert.rejects(file.writeAndSync(0, Uint8Array.of(1)), full);
    await file.close();
    await disk.close();
  },
});
