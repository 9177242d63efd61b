/*
 * Goal: whatever moment the machine dies in, the sidecar is the one before or
 * the new one, whole; once there was one, there is one.
 * Method: write sidecars on the simulated disk and crash in every operation
 * that changes the disk, once per kind of loss and some seeds.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Disk } from "../../../src/io/disk.ts";
import {
  FilesystemUnsupportedError,
  SidecarWriteFailedError,
} from "../../../src/keys/errors.ts";
import {
  probeFilesystem,
  readSidecar,
  sidecarPath,
  writeSidecar,
} from "../../../src/keys/sidecar_file.ts";
import { sidecarAt } from "../../contract/sidecar_contract.ts";
import { failingDisk, Failure } from "./failing_disk.ts";
import { CRASH_KINDS, SimCrash, SimDisk } from "../../sim/io/disk.ts";

const ROOT = "data";
const DIR = `${ROOT}/encryption`;
const SEEDS = 6;
const WRITES = [1, 2, 3];

type Write = (disk: Disk, dir: string, text: string) => Promise<void>;

async function freshDisk(seed: number): Promise<SimDisk> {
  const disk = new SimDisk({ seed });
  await disk.makeDir(ROOT);
  await disk.syncDir(".");
  return disk;
}

/** Writes 1, 2, 3 until the disk dies in `crashAt`; returns what was durable. */
async function crashRun(write: Write, disk: SimDisk, crashAt: number) {
  disk.crashAt = disk.operations + crashAt;
  let acked = 0;
  try {
    for (const index of WRITES) {
      await write(disk, DIR, sidecarAt(index));
      acked = index;
    }
  } catch (error) {
    if (!(error instanceof SimCrash)) throw error;
    return { acked, crashed: true };
  }
  return { acked, crashed: false };
}

async function checkEveryCrash(write: Write): Promise<number> {
  let crashes = 0;
  for (const kind of CRASH_KINDS) {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      for (let crashAt = 1;; crashAt += 1) {
        const disk = await freshDisk(seed);
        const { acked, crashed } = await crashRun(write, disk, crashAt);
        if (!crashed) break;
        crashes += 1;
        disk.restart(kind);
        const found = await readSidecar(disk, DIR);
        const index = found?.shared.stateIndex ?? 0;
        const rule = `${kind} ${seed} ${crashAt}: ${acked} became ${index}`;
        assert.ok(index === acked || index === acked + 1, rule);
        // The next start goes on from there.
        await write(disk, DIR, sidecarAt(9));
        disk.restart("none");
        const next = await readSidecar(disk, DIR);
        assert.equal(next?.shared.stateIndex, 9, rule);
      }
    }
  }
  return crashes;
}

Deno.test("writeSidecar() is all or nothing in every crash", async () => {
  assert.ok(await checkEveryCrash(writeSidecar) > 600);
});

/** The protocol with one step left out. */
function without(step: string): Write {
  return async (disk, dir, text) => {
    const path = sidecarPath(dir);
    if (!await disk.exists(dir)) await disk.makeDir(dir);
    if (step !== "parent") await disk.syncDir(ROOT);
    const draft = step === "rename" ? path : `${path}.tmp`;
    if (step !== "remove") await disk.remove(draft);
    const file = await disk.open(draft, "create");
    await file.writeAt(0, utf8(text));
    if (step !== "sync") await file.sync();
    await file.close();
    if (step !== "rename") await disk.rename(draft, path);
    if (step !== "directory") await disk.syncDir(dir);
  };
}

Deno.test("the check above notices each step that is left out", async () => {
  assert.ok(await checkEveryCrash(without("nothing")) > 600);
  for (const step of ["parent", "remove", "sync", "rename", "directory"]) {
    await assert.rejects(checkEveryCrash(without(step)), step);
  }
});

Deno.test("writeSidecar() tells of every step that fails", async () => {
  for (let failAt = 1;; failAt += 1) {
    const disk = await freshDisk(failAt);
    try {
      await writeSidecar(failingDisk(disk, { at: failAt }), DIR, sidecarAt(1));
      assert.equal(failAt, 9);
      break;
    } catch (error) {
      assert.ok(error instanceof SidecarWriteFailedError);
      assert.ok(error.cause instanceof Failure);
    }
    await writeSidecar(disk, DIR, sidecarAt(2));
    assert.equal((await readSidecar(disk, DIR))?.shared.stateIndex, 2);
  }
});

Deno.test("probeFilesystem() tells of every step that fails", async () => {
  for (let failAt = 1;; failAt += 1) {
    const disk = await freshDisk(failAt);
    try {
      await probeFilesystem(failingDisk(disk, { at: failAt }), DIR);
      assert.equal(failAt, 11);
      break;
    } catch (error) {
      assert.ok(error instanceof FilesystemUnsupportedError);
      assert.ok(error.cause instanceof Failure);
    }
    await probeFilesystem(disk, DIR);
  }
});

Deno.test("probeFilesystem() refuses a disk that changes bytes", async () => {
  const disk = await freshDisk(1);
  disk.damageRead = (_, __, bytes) => bytes.fill(0);
  await assert.rejects(probeFilesystem(disk, DIR), FilesystemUnsupportedError);
});

Deno.test("probeFilesystem() refuses a disk without space", async () => {
  const disk = new SimDisk({ seed: 1, capacityBytes: 10 });
  await disk.makeDir(ROOT);
  await assert.rejects(probeFilesystem(disk, DIR), FilesystemUnsupportedError);
});
