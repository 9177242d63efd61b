import assert from "node:assert/strict";
import { RebuildConflictError } from "../../../src/app/errors.ts";
import { openRebuild, type RebuildRecord } from "../../../src/app/rebuild.ts";
import { DataDirLockedError } from "../../../src/node/errors.ts";
import { openNode } from "../../../src/node/open_node.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { SimCrash, SimDisk } from "../../sim/io/disk.ts";
import { SimKv } from "../../sim/io/kv.ts";
import { SimRandom } from "../../sim/io/random.ts";

const RECORD: RebuildRecord = {
  node: "n2",
  peerAddress: "10.0.0.2:4513",
  promote: true,
};
const OLD = ".old-20250615T150640Z";
const OLDER = ".old-20240101T000000Z";

async function write(disk: SimDisk, path: string): Promise<void> {
  const file = await disk.open(path, "create");
  await file.writeAndSync(0, Uint8Array.of(1));
  await file.close();
}

/** A data dir with a log, a store and something of an earlier rebuild. */
async function dataDir(): Promise<SimDisk> {
  const disk = new SimDisk({ seed: 1 });
  for (
    const dir of ["/d", "/d/raft", "/d/raft/wal", `/d/raft${OLDER}`]
  ) {
    await disk.makeDir(dir);
  }
  await write(disk, "/d/store.sqlite");
  await write(disk, "/d/raft/wal/x");
  await write(disk, `/d/raft${OLDER}/kept`);
  for (
    const dir of [
      "/",
      "/d",
      "/d/raft",
      "/d/raft/wal",
      `/d/raft${OLDER}`,
    ]
  ) {
    await disk.syncDir(dir);
  }
  return disk;
}

async function paths(disk: SimDisk, dir = "/d"): Promise<string[]> {
  const all: string[] = [];
  for (const { name, isDirectory } of await disk.list(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) all.push(...await paths(disk, path));
    else if (name !== "LOCK") all.push(path.slice(3));
  }
  return all.sort();
}

const open = (disk: SimDisk, node = "n2") =>
  openRebuild(
    { disk, clock: new SimClock(), close: () => Promise.resolve() },
    { dataDir: "/d", node },
  );

Deno.test("moveAside() keeps everything in a directory of its own", async () => {
  const disk = await dataDir();
  const rebuild = await open(disk);
  assert.deepEqual(rebuild.names, ["raft", "store.sqlite"]);
  assert.equal(rebuild.oldSuffix, OLD);
  await rebuild.begin(RECORD);
  await rebuild.moveAside();
  await rebuild.finish();
  await rebuild.close();
  assert.deepEqual(await paths(disk), [
    `raft${OLDER}/kept`,
    `raft${OLD}/wal/x`,
    `store.sqlite${OLD}`,
  ]);
});

Deno.test("moveAside() overwrites nothing that is aside already", async () => {
  const disk = await dataDir();
  await write(disk, `/d/store.sqlite${OLD}`);
  const rebuild = await open(disk);
  await rebuild.moveAside();
  await rebuild.close();
  assert.deepEqual(await paths(disk), [
    `raft${OLDER}/kept`,
    `raft${OLD}/wal/x`,
    `store.sqlite.2${OLD}`,
    `store.sqlite${OLD}`,
  ]);
});

Deno.test("deleteOld() leaves only what earlier rebuilds put aside", async () => {
  const disk = await dataDir();
  const rebuild = await open(disk);
  await rebuild.deleteOld();
  await rebuild.finish();
  await rebuild.close();
  assert.deepEqual(await paths(disk), [`raft${OLDER}/kept`]);
});

for (const how of ["moveAside", "deleteOld"] as const) {
  Deno.test(`${how}() leaves what operators did where it is`, async () => {
    const disk = await dataDir();
    await write(disk, "/d/audit.log");
    const rebuild = await open(disk);
    await rebuild[how]();
    await rebuild.finish();
    await rebuild.close();
    assert.ok((await paths(disk)).includes("audit.log"));
  });
}

Deno.test("openRebuild() makes a data dir that is lost", async () => {
  const disk = new SimDisk({ seed: 1 });
  const rebuild = await open(disk);
  assert.deepEqual(rebuild.names, []);
  await rebuild.begin(RECORD);
  await rebuild.moveAside();
  await rebuild.close();
  const again = await open(disk);
  assert.equal(again.record?.peerAddress, RECORD.peerAddress);
  await again.finish();
  await again.close();
  assert.deepEqual(await paths(disk), []);
});

Deno.test("openRebuild() refuses a data dir in use, and frees it after", async () => {
  const disk = await dataDir();
  const first = await open(disk);
  await assert.rejects(open(disk), DataDirLockedError);
  await first.close();
  await (await open(disk)).close();
});

Deno.test("openRebuild() refuses another node's rebuild", async () => {
  const disk = await dataDir();
  const rebuild = await open(disk);
  await rebuild.begin(RECORD);
  await rebuild.close();
  await assert.rejects(open(disk, "n3"), RebuildConflictError);
  await (await open(disk)).close();
});

Deno.test("openRebuild() refuses the log of another node", async () => {
  const disk = new SimDisk({ seed: 1 });
  const node = await openNode({
    disk,
    openKv: () => Promise.resolve(new SimKv()),
    clock: new SimClock(),
    random: new SimRandom(1),
    log: { write: () => {} },
  }, {
    name: "n1",
    clusterName: "sim",
    dataDir: "/d",
    heartbeatMs: 50,
    electionMs: 500,
    onFatal: (error) => assert.fail(error),
  });
  await node.stop();
  await assert.rejects(open(disk), (error) => {
    assert.ok(error instanceof RebuildConflictError);
    assert.equal(error.owner, "n1");
    return true;
  });
  const own = await open(disk, "n1");
  assert.deepEqual(own.names, ["raft", "NODE", "checkpoints"]);
  await own.close();
});

Deno.test("moveAside() takes the sidecar along", async () => {
  const disk = await dataDir();
  await disk.makeDir("/d/encryption");
  await write(disk, "/d/encryption/keys.json");
  for (const dir of ["/d", "/d/encryption"]) await disk.syncDir(dir);
  const rebuild = await open(disk);
  assert.deepEqual(rebuild.names, ["raft", "encryption", "store.sqlite"]);
  await rebuild.begin(RECORD);
  await rebuild.moveAside();
  await rebuild.finish();
  await rebuild.close();
  assert.ok((await paths(disk)).includes(`encryption${OLD}/keys.json`));
  assert.equal(await disk.exists("/d/encryption"), false);
});

Deno.test("openRebuild() does not trust a record that no rebuild wrote", async () => {
  const disk = await dataDir();
  await write(disk, "/d/rebuild.json");
  const rebuild = await open(disk);
  assert.equal(rebuild.record, null);
  await rebuild.begin(RECORD);
  await rebuild.close();
  const again = await open(disk);
  assert.equal(again.record?.promote, true);
  await again.close();
});

for (const way of ["moveAside", "deleteOld"] as const) {
  Deno.test(`a rebuild by ${way}() goes on after a crash in any operation`, async () => {
    let crashes = 0;
    for (let at = 1;; at += 1) {
      const disk = await dataDir();
      disk.crashAt = disk.operations + at;
      const isOver = await attempt(disk, way);
      if (isOver) break;
      crashes += 1;
      disk.crashAt = Infinity;
      disk.restart("mixed");
      assert.ok(await attempt(disk, way));
      const moved = [`raft${OLD}/wal/x`, `store.sqlite${OLD}`];
      assert.deepEqual(await paths(disk), [
        `raft${OLDER}/kept`,
        ...way === "moveAside" ? moved : [],
      ], `crash ${at}`);
    }
    assert.ok(crashes > 10, `only ${crashes} crashes`);
  });
}

/** A whole run; false when the machine died in it. */
async function attempt(
  disk: SimDisk,
  way: "moveAside" | "deleteOld",
): Promise<boolean> {
  try {
    const rebuild = await open(disk);
    await rebuild.begin(RECORD);
    await rebuild[way]();
    await rebuild.finish();
    await rebuild.close();
    return true;
  } catch (error) {
    if (error instanceof SimCrash) return false;
    throw error;
  }
}
