import assert from "node:assert/strict";
import { openDenoDisk } from "../../src/io/deno/disk.ts";
import { denoRandom } from "../../src/io/deno/random.ts";
import { openCustody } from "../../src/keys/custody.ts";
import { FilesystemUnsupportedError } from "../../src/keys/errors.ts";
import {
  probeFilesystem,
  readSidecar,
  sidecarPath,
  writeSidecar,
} from "../../src/keys/sidecar_file.ts";
import { SimDisk } from "../sim/io/disk.ts";
import { bootstrapped, noRow } from "../unit/keys/custody_harness.ts";
import { CLUSTER_ID } from "../unit/keys/sample_keys.ts";
import { TestKek } from "../unit/keys/test_kek.ts";
import { runSidecarContract, sidecarAt } from "./sidecar_contract.ts";

async function denoDiskUnderTest() {
  const disk = openDenoDisk();
  const root = await Deno.makeTempDir({ prefix: "sealkv-sidecar-" });
  return {
    disk,
    root,
    async dispose() {
      await disk.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}

runSidecarContract("SimDisk", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir("root");
  return { disk, root: "root", dispose: () => Promise.resolve() };
});

runSidecarContract("DenoDisk", denoDiskUnderTest);

Deno.test("DenoDisk: custody goes on in the next process", async () => {
  const { disk, root, dispose } = await denoDiskUnderTest();
  const dir = `${root}/encryption`;
  const keks = [await TestKek.of(1)];
  const shared = await bootstrapped(keks);
  const { storage } = shared.active;
  for (const epoch of [1, 4, 7]) {
    const sidecar = await readSidecar(disk, dir);
    const random = denoRandom();
    const parts = { disk, dir, node: "n1", random, isEnabled: true };
    const custody = await openCustody({ ...parts, keks, sidecar });
    assert.deepEqual(await custody.gaps(), []);
    await custody.raiseEpochs();
    await custody.absorb(CLUSTER_ID, shared, noRow);
    assert.equal(custody.epochs().get(storage), epoch);
    const taken = [custody.nextEpoch(storage), custody.nextEpoch(storage)];
    assert.deepEqual(await Promise.all(taken), [epoch + 1, epoch + 2]);
  }
  await dispose();
});

Deno.test({
  name: "DenoDisk: the sidecar is for the user alone",
  ignore: Deno.build.os === "windows",
  async fn() {
    const { disk, root, dispose } = await denoDiskUnderTest();
    const dir = `${root}/encryption`;
    await writeSidecar(disk, dir, sidecarAt(1));
    await writeSidecar(disk, dir, sidecarAt(2));
    const modes = [dir, sidecarPath(dir)].map((path) =>
      (Deno.statSync(path).mode ?? 0) & 0o777
    );
    assert.deepEqual(modes, [0o700, 0o600]);
    await dispose();
  },
});

Deno.test({
  name: "DenoDisk: probeFilesystem() refuses a file system that is read only",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const disk = openDenoDisk();
    await assert.rejects(probeFilesystem(disk, "/proc/self"), (error) => {
      assert.ok(error instanceof FilesystemUnsupportedError);
      assert.ok(error.cause instanceof Error);
      assert.equal(error.dir, "/proc/self");
      return true;
    });
    await disk.close();
  },
});
