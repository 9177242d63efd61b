/*
 * Goal: a restored data dir is a new cluster with all records of the backup,
 * sealed as the old one had come to be, and nothing else in common with it.
 * Method: restores on a real disk; the real node is started on the outcome.
 */
import assert from "node:assert/strict";
import {
  BackupCleartextError,
  BackupDamagedError,
  BackupKeysMissingError,
  RestoreTargetInUseError,
} from "../../../../src/app/backup/errors.ts";
import {
  restoreBackup,
  type RestoreOptions,
  type RestoreOutcome,
} from "../../../../src/app/backup/restore.ts";
import { toHex, utf8 } from "../../../../src/base/bytes.ts";
import { NodeError } from "../../../../src/base/error.ts";
import type { Disk } from "../../../../src/io/disk.ts";
import { DiskFailedError } from "../../../../src/io/errors.ts";
import { ENCODING_BYTES } from "../../../../src/fsm/types.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { DataDirLockedError } from "../../../../src/node/errors.ts";
import type { Node } from "../../../../src/node/node.ts";
import { openNode } from "../../../../src/node/open_node.ts";
import { StorePointerDamagedError } from "../../../../src/node/store_place.ts";
import { SimLog } from "../../../sim/io/log.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { STATE } from "../../store/checkpoint/stream.ts";
import {
  BackupWorld,
  CANARY,
  OLD_INDEX,
  type Phase,
  RECORD_COUNT,
} from "./backup_world.ts";

const GAP = 2 ** 32;

function restore(
  world: BackupWorld,
  path: string,
  options: Partial<RestoreOptions> = {},
  disk: Disk = world.disk,
): Promise<RestoreOutcome> {
  return restoreBackup({ ...world.ports, disk }, {
    ...{ path, dataDir: dataDirOf(world), node: "m1", keks: [] },
    ...{ isEncrypting: false, clusterName: null, acceptsCleartext: false },
    ...options,
  });
}

function dataDirOf(world: BackupWorld): string {
  return `${world.dir}/restored`;
}

async function open(
  world: BackupWorld,
  keks: readonly Kek[],
  name = "m1",
): Promise<Node> {
  return await openNode({
    ...world.ports,
    log: new SimLog(),
    keys: {
      isEnabled: keks.length > 0,
      kekCount: keks.length,
      openKeks: () => Promise.resolve(keks),
    },
  }, {
    ...{ name, clusterName: "ignored", dataDir: dataDirOf(world) },
    ...{ heartbeatMs: 10, electionMs: 50, segmentBytes: 64 * 1024 },
    onFatal: (error) => {
      throw error;
    },
  });
}

/** Runs the restored node: what it says of itself, its records, a write. */
async function serve(world: BackupWorld, keks: readonly Kek[]) {
  const node = await open(world, keks);
  node.start();
  await node.ready();
  try {
    const [records = []] = await node.read({
      database: "",
      ranges: [{
        ...{ start: utf8("\x01"), end: utf8("\x03") },
        ...{ limit: 1_000, reverse: false },
      }],
      strong: true,
    });
    const reply = await node.write({
      database: "",
      checks: [],
      changes: [{
        ...{ kind: "set", key: utf8("\x02new\x00"), expireAtMs: 0 },
        value: { data: utf8(`${CANARY} new`), encoding: ENCODING_BYTES },
      }],
    });
    assert.equal(reply.kind, "committed");
    const versionstamp = reply.kind === "committed"
      ? toHex(reply.versionstamp)
      : "";
    const { encryption } = node;
    const { keys } = await encryption.encryptionStatus();
    return { status: node.status(), records, versionstamp, keys };
  } finally {
    await node.stop();
  }
}

/** Files of the data dir that have `text` in them. */
async function filesWith(dir: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) found.push(...await filesWith(path, text));
    else {
      const bytes = await Deno.readFile(path);
      const content = new TextDecoder("latin1").decode(bytes);
      if (content.includes(text)) found.push(path);
    }
  }
  return found;
}

const PHASES: Record<Phase, "cleartext" | "sealed"> = {
  "no keys": "cleartext",
  "keys": "cleartext",
  "storage": "sealed",
  "raft and lock": "sealed",
};
for (const [phase, form] of Object.entries(PHASES)) {
  Deno.test(`restoreBackup() founds a cluster from a backup with ${phase}`, async () => {
    await using world = await BackupWorld.open();
    const path = await world.backup(phase as Phase);
    const keks = phase === "no keys" ? [] : [world.kek];
    const outcome = await restore(world, path, {
      ...{ keks, acceptsCleartext: form === "cleartext" },
    });
    assert.equal(outcome.firstIndex, OLD_INDEX + GAP);
    assert.equal(outcome.isSealed, form === "sealed");
    const cleartext = await filesWith(dataDirOf(world), CANARY);
    assert.equal(cleartext.length > 0, form === "cleartext", `${cleartext}`);
    const { status, records, versionstamp, keys } = await serve(world, keks);
    assert.deepEqual(status.clusterId, outcome.clusterId);
    assert.notDeepEqual(outcome.clusterId, STATE.fsm.clusterId);
    assert.deepEqual(outcome.backup.clusterId, STATE.fsm.clusterId);
    assert.equal(status.cluster, STATE.fsm.clusterName);
    assert.deepEqual(status.members.map(({ name }) => name), ["m1"]);
    assert.equal(records.length, RECORD_COUNT);
    const highest = records.map((record) => toHex(record.versionstamp))
      .sort().at(-1)!;
    assert.ok(versionstamp > highest);
    assert.ok(parseInt(versionstamp.slice(0, 16), 16) > OLD_INDEX + GAP);
    assert.equal(keys.length, phase === "no keys" ? 0 : 3);
    const old = outcome.backup.keys.map(({ id }) => id);
    assert.ok(keys.every(({ id }) => !old.includes(id)), "all keys are new");
    // It is a node like any other from here on.
    const again = await serve(world, keks);
    assert.equal(again.records.length, RECORD_COUNT + 1);
    assert.ok(again.versionstamp > versionstamp);
  });
}

Deno.test("restoreBackup() reaches every mark of the old cluster at once", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("raft and lock");
  const { firstIndex } = await restore(world, path, { keks: [world.kek] });
  const node = await open(world, [world.kek]);
  const status = await node.encryption.encryptionStatus();
  await node.stop();
  const { storageCutoverIndex, raftCutoverIndex, cleartextLockIndex } = status;
  assert.deepEqual(
    [storageCutoverIndex, raftCutoverIndex, cleartextLockIndex],
    [firstIndex, firstIndex, firstIndex],
  );
});

Deno.test("restoreBackup() wraps new keys under every KEK that is given", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("storage");
  const next = await TestKek.of(9);
  await restore(world, path, { keks: [next, world.kek] });
  const { records } = await serve(world, [next]);
  assert.equal(records.length, RECORD_COUNT);
});

Deno.test("restoreBackup() takes another cluster name", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("no keys");
  await restore(world, path, { clusterName: "drill" });
  assert.equal((await serve(world, [])).status.cluster, "drill");
});

Deno.test("a restored data dir is its node's, and opens with its KEK alone", async () => {
  await using world = await BackupWorld.open();
  await restore(world, await world.backup("storage"), { keks: [world.kek] });
  const refused = (error: unknown, name: string) =>
    (error as Error).name === name;
  await assert.rejects(
    open(world, [world.kek], "m2"),
    (error) => refused(error, "WrongNodeError"),
  );
  await assert.rejects(
    open(world, [await TestKek.of(2)]),
    (error) => refused(error, "KekMismatchError"),
  );
  await assert.rejects(
    open(world, []),
    (error) => refused(error, "SidecarWithoutFlagError"),
  );
});

const REFUSALS: [
  name: string,
  phase: Phase,
  options: (world: BackupWorld) => Promise<Partial<RestoreOptions>>,
  error: new (...given: never[]) => Error,
][] = [
  [
    "cleartext for a node with a KEK",
    "no keys",
    (world) => Promise.resolve({ keks: [world.kek] }),
    BackupCleartextError,
  ],
  [
    "cleartext for a node that encrypts",
    "keys",
    () => Promise.resolve({ isEncrypting: true }),
    BackupCleartextError,
  ],
  [
    "a sealed one without a KEK",
    "storage",
    () => Promise.resolve({}),
    BackupKeysMissingError,
  ],
  [
    "a sealed one with another KEK",
    "storage",
    async () => ({ keks: [await TestKek.of(2)] }),
    BackupKeysMissingError,
  ],
  [
    "keys without a KEK for new ones",
    "keys",
    () => Promise.resolve({}),
    BackupKeysMissingError,
  ],
];
for (const [name, phase, options, error] of REFUSALS) {
  Deno.test(`restoreBackup() refuses ${name}, and changes nothing`, async () => {
    await using world = await BackupWorld.open();
    const path = await world.backup(phase);
    const before = await world.names();
    await assert.rejects(restore(world, path, await options(world)), error);
    assert.deepEqual(await world.names(), before);
  });
}

Deno.test("restoreBackup() refuses a data dir that is not empty", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("no keys");
  const dataDir = dataDirOf(world);
  await Deno.mkdir(dataDir);
  await Deno.writeTextFile(`${dataDir}/mine`, "mine");
  await assert.rejects(restore(world, path), (error) => {
    assert.ok(error instanceof RestoreTargetInUseError);
    assert.equal(error.found, "mine");
    return true;
  });
  assert.equal(await Deno.readTextFile(`${dataDir}/mine`), "mine");
  await Deno.remove(`${dataDir}/mine`);
  await restore(world, path);
  await assert.rejects(restore(world, path), RestoreTargetInUseError);
  assert.equal((await serve(world, [])).records.length, RECORD_COUNT);
});

Deno.test("restoreBackup() refuses a data dir that another process holds", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("no keys");
  await Deno.mkdir(dataDirOf(world));
  const lock = await world.disk.lock(`${dataDirOf(world)}/LOCK`);
  await assert.rejects(restore(world, path), DataDirLockedError);
  await lock!.release();
  await restore(world, path);
});

Deno.test("restoreBackup() leaves nothing of a damaged backup", async () => {
  await using world = await BackupWorld.open();
  const path = `${world.dir}/damaged`;
  const bytes = await world.bytes("storage");
  bytes[bytes.length - 1]! ^= 1;
  await Deno.writeFile(path, bytes);
  const refused = restore(world, path, { keks: [world.kek] });
  await assert.rejects(refused, BackupDamagedError);
  assert.deepEqual(await world.names(), ["damaged"]);
});

/** Fails the call number `count` of those that change something. */
function failing(disk: Disk, count: number, andAfter: boolean) {
  let calls = 0;
  const counted = ["open", "rename", "syncDir", "makeDir", "remove"];
  const view = new Proxy(disk, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        if (counted.includes(String(name)) && given[1] !== "reading") {
          calls += 1;
          if (calls === count || (andAfter && calls > count)) {
            return Promise.reject(new DiskFailedError("write", "here"));
          }
        }
        return member.apply(target, given);
      };
    },
  });
  return { view, calls: () => calls };
}

Deno.test("a restore that fails leaves nothing, wherever it fails", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("raft and lock");
  const dataDir = dataDirOf(world);
  for (let count = 1;; count += 1) {
    const { view, calls } = failing(world.disk, count, false);
    const restored = restore(world, path, { keks: [world.kek] }, view);
    const error = await restored.then(() => null, (error) => error);
    if (error === null) {
      if (calls() < count) break;
      // What failed mattered to nobody.
      await Deno.remove(dataDir, { recursive: true });
      continue;
    }
    assert.ok(error instanceof NodeError, `${error}`);
    const left = await Array.fromAsync(readDirIfAny(dataDir));
    assert.deepEqual(left.filter((name) => name !== "LOCK"), [], `${count}`);
  }
});

Deno.test("a restore that was cut short is no data dir, wherever it was cut", async () => {
  await using world = await BackupWorld.open();
  const path = await world.backup("storage");
  const dataDir = dataDirOf(world);
  const refusals = new Set<string>();
  for (let count = 1;; count += 1) {
    // Whatever it still tries after the cut fails too, its own removal.
    const { view, calls } = failing(world.disk, count, true);
    const restored = restore(world, path, { keks: [world.kek] }, view);
    const error = await restored.then(() => null, (error) => error);
    if (error === null && calls() < count) break;
    const names = await Array.fromAsync(readDirIfAny(dataDir));
    const hasContent = names.some((name) => name !== "LOCK");
    const hasPointer = names.includes("store.pointer");
    if (hasContent && !hasPointer) {
      await assert.rejects(open(world, [world.kek]), (error) => {
        refusals.add((error as Error).name);
        return true;
      });
      const again = restore(world, path, { keks: [world.kek] });
      await assert.rejects(again, RestoreTargetInUseError);
    }
    if (names.length > 0) await Deno.remove(dataDir, { recursive: true });
  }
  assert.ok(refusals.has(StorePointerDamagedError.name), `${[...refusals]}`);
});

async function* readDirIfAny(path: string): AsyncGenerator<string> {
  try {
    for await (const { name } of Deno.readDir(path)) yield name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
