import assert from "node:assert/strict";
import { type DoctorReport, runDoctor } from "../../../src/app/doctor.ts";
import { keySettings } from "../../../src/app/key_settings.ts";
import { denoClock } from "../../../src/io/deno/clock.ts";
import { denoFiles } from "../../../src/io/deno/files.ts";
import { denoHttpClient } from "../../../src/io/deno/http.ts";
import { denoProcess } from "../../../src/io/deno/process.ts";
import { denoRandom } from "../../../src/io/deno/random.ts";
import type { NodePorts } from "../../../src/node/open_node.ts";
import { kekBytes } from "../keys/test_kek.ts";
import {
  keysOf,
  type StartKeys,
  TestDataDir,
} from "../node/guards/test_data_dir.ts";

async function examine(
  dir: TestDataDir,
  keys: StartKeys,
  node: string | null = null,
): Promise<DoctorReport> {
  const given = { dataDir: dir.path, node, keys: keysOf(keys) };
  return await runDoctor(dir.ports, given);
}

function refusals({ findings }: DoctorReport): string[] {
  return findings.flatMap(({ guard, error }) => error === null ? [] : [guard]);
}

Deno.test("runDoctor() finds nothing wrong with a healthy node", async () => {
  await using dir = await TestDataDir.bootstrapped("n2");
  const before = await dir.content();
  const report = await examine(dir, dir.keys);
  assert.equal(report.node, "n2");
  const verdicts = new Set(report.findings.map(({ verdict }) => verdict));
  assert.deepEqual([...verdicts], ["passed"]);
  assert.deepEqual(await dir.content(), before);
  await dir.run();
});

Deno.test("runDoctor() says all that is wrong, and changes nothing", async () => {
  await using dir = await TestDataDir.bootstrapped();
  const old = await Deno.readTextFile(dir.sidecar);
  const before = await dir.encryption();
  await dir.absorb({ ...before, stateIndex: before.stateIndex + 1 });
  await dir.commit({ ...before, stateIndex: before.stateIndex + 1 });
  await Deno.writeTextFile(dir.sidecar, old);
  const { active } = before;
  await dir.withStore((store) =>
    store.insertSession({
      ...{ keyId: active.storage, node16: 0xd4c0, epoch: 2 },
      salt: denoRandom().bytes(32),
    })
  );
  const content = await dir.content();
  const report = await examine(dir, { isEnabled: true }, "n9");
  assert.deepEqual(refusals(report), [
    "WrongNode",
    "KekRequired",
    "SidecarBehindRaftLog",
    "LocalEpochRollback",
  ]);
  const unchecked = report.findings.filter(({ verdict }) =>
    verdict === "unchecked"
  ).map(({ guard }) => guard);
  assert.deepEqual(unchecked, [
    "KekUnavailable",
    "KekMismatch",
    "SidecarTampered",
    "StoreStateTampered",
  ]);
  assert.deepEqual(await dir.content(), content);
});

Deno.test("runDoctor() reads nothing of a data dir in use", async () => {
  await using dir = await TestDataDir.bootstrapped();
  const node = await dir.open(dir.keys);
  try {
    assert.deepEqual(refusals(await examine(dir, dir.keys)), ["DataDirLocked"]);
  } finally {
    await node.stop();
  }
});

Deno.test("runDoctor() lets go of the data dir", async () => {
  await using dir = await TestDataDir.founded();
  const ports: NodePorts = {
    ...dir.ports,
    openKv: () => Promise.reject(new TypeError("a bug")),
  };
  const given = { dataDir: dir.path, node: null, keys: keysOf({}) };
  const report = await runDoctor(ports, given);
  assert.deepEqual(refusals(report), ["PartUnreadable"]);
  await dir.run({});
});

Deno.test("runDoctor() refuses a path at which nothing is", async () => {
  await using dir = await TestDataDir.empty();
  const given = { dataDir: `${dir.path}/x`, node: null, keys: keysOf({}) };
  await assert.rejects(runDoctor(dir.ports, given), { code: "IO_NOT_FOUND" });
  assert.deepEqual(await dir.content(), {});
});

Deno.test("runDoctor() loads KEKs from their files", async () => {
  await using dir = await TestDataDir.bootstrapped();
  await using kekDir = await TestDataDir.empty();
  const path = `${kekDir.path}/kek`;
  await Deno.writeFile(path, kekBytes(1), { mode: 0o600 });
  const http = denoHttpClient({});
  const ports = {
    ...{ files: denoFiles(), process: denoProcess(), random: denoRandom() },
    ...{ http, clock: denoClock() },
  };
  const look = async (keks: readonly string[]) => {
    const keys = keySettings({ encryptionEnabled: true, keks }, ports);
    const given = { dataDir: dir.path, node: null, keys };
    return refusals(await runDoctor(dir.ports, given));
  };
  assert.deepEqual(await look([`file:${path}`]), []);
  const copy = `${kekDir.path}/copy`;
  await Deno.copyFile(path, copy);
  assert.deepEqual(await look([`file:${copy}`, `file:${path}`]), []);
  assert.deepEqual(await look(["file:/none"]), ["KekUnavailable"]);
  assert.deepEqual(await look(["nothing"]), ["KekUnavailable"]);
  await Deno.chmod(path, 0o644);
  assert.deepEqual(await look([`file:${path}`]), ["InsecureKekFile"]);
  http.close();
});
