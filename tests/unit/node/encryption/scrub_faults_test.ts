/*
 * Goal: a scrub that meets faults ends cleanly or goes on, and one that says it
 * is done has left nothing that was written in cleartext.
 * Method: whole nodes with real keys on simulated disks; links that lose
 * packets, leaders that go, members that are cut off, two scrubs at once,
 * files that earlier failures left.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import { NodeError } from "../../../../src/base/error.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { SimKvDisk } from "../../../sim/io/kv.ts";
import type { TestCluster } from "../test_cluster.ts";
import { engineOf } from "./encrypted_cluster.ts";
import {
  canaries,
  CANARY,
  context,
  cutRaftOver,
  fill,
  NAMES,
  propose,
  readAll,
  rewrite,
  scrub,
  sealCleartext,
  start,
  TERMS,
  work,
} from "./member_steps.ts";

useTurnCrypto();

/** A cluster whose past holds cleartext, and nothing else is to be done. */
async function sealed(): Promise<TestCluster> {
  const cluster = await start();
  await fill(cluster, 0, 30);
  await propose(cluster, { kind: "enable-storage-envelope" });
  await rewrite(cluster);
  await sealCleartext(cluster);
  await cutRaftOver(cluster);
  return cluster;
}

async function mustBeClean(cluster: TestCluster): Promise<void> {
  for (const name of NAMES) {
    assert.deepEqual(await canaries(cluster, name), [], name);
    assert.equal((await readAll(cluster, name)).length, 30, name);
    assert.equal(cluster.place(name).fatal, null, name);
  }
}

/** As an operator asks for it. */
async function ask(cluster: TestCluster, leader: string) {
  const { encryption } = cluster.node(leader);
  const request = { kind: "scrub", members: [] } as const;
  return await encryption.changeEncryption(request, TERMS);
}

Deno.test("scrubs of one member take turns, whoever asks for them", async () => {
  const cluster = await sealed();
  const steps = await work(cluster);
  const terms = await context(cluster);
  const both = [1, 2].map(() => steps.scrub(terms.members, terms));
  await cluster.clock.until(Promise.all(both));
  await mustBeClean(cluster);
  for (const name of NAMES) {
    const { log, disk } = cluster.place(name);
    assert.equal(log.named("member_scrubbed").length, 2, name);
    const names = (await disk.list("/data")).map((one) => one.name);
    const stores = names.filter((one) => one.endsWith(".sqlite"));
    assert.equal(stores.length, 1, stores.join());
  }
  await cluster.close();
});

Deno.test("operators that scrub at once are told who does", async () => {
  const cluster = await sealed();
  const leader = await cluster.leader();
  const first = ask(cluster, leader);
  await cluster.clock.run(20);
  await assert.rejects(cluster.clock.until(ask(cluster, leader)), {
    code: "NODE_CHANGE_UNDER_WAY",
    message: /scrub/,
  });
  await cluster.clock.until(first);
  await mustBeClean(cluster);
  await cluster.close();
});

for (const seed of [1, 2, 3]) {
  Deno.test(`steps get through links that lose packets (seed ${seed})`, async () => {
    const random = new SimRandom(seed);
    const cluster = await start();
    await fill(cluster, 0, 30);
    await propose(cluster, { kind: "enable-storage-envelope" });
    await rewrite(cluster);
    cluster.network.loses = () => random.below(10) < 4;
    await sealCleartext(cluster);
    await cutRaftOver(cluster);
    await scrub(cluster);
    cluster.network.loses = () => false;
    await mustBeClean(cluster);
    await cluster.close();
  });
}

Deno.test("a scrub whose leader goes says so, and the next leader does it anew", async () => {
  for (const afterMs of [1, 5, 20, 45, 70, 120]) {
    const cluster = await sealed();
    const leader = await cluster.leader();
    const outcome = ask(cluster, leader).then(() => null, (error) => error);
    await cluster.clock.run(afterMs);
    cluster.network.isolate(leader);
    const others = NAMES.filter((name) => name !== leader);
    const next = await cluster.leader(others);
    await assert.rejects(cluster.clock.until(ask(cluster, next)), (error) => {
      assert.ok(error instanceof NodeError);
      assert.equal(error.code, "NODE_MEMBER_SILENT");
      assert.ok(error.message.includes(leader));
      return true;
    });
    cluster.network.heal();
    const told = await cluster.clock.until(outcome);
    if (told !== null) {
      assert.ok(told instanceof NodeError);
      assert.match(told.code, /NOT_LEADER|MEMBER_SILENT|NOT_READY/);
    }
    await cluster.ready();
    await cluster.clock.run(500);
    const last = await cluster.leader();
    await cluster.clock.until(ask(cluster, last));
    await mustBeClean(cluster);
    await cluster.close();
  }
});

Deno.test("a member that is cut off keeps a scrub from being done", async () => {
  const cluster = await sealed();
  const leader = await cluster.leader();
  const [away] = NAMES.filter((name) => name !== leader);
  cluster.network.isolate(away!);
  await assert.rejects(cluster.clock.until(ask(cluster, leader)), {
    code: "NODE_MEMBER_SILENT",
  });
  cluster.network.heal();
  await cluster.clock.run(1_000);
  await cluster.clock.until(ask(cluster, await cluster.leader()));
  await mustBeClean(cluster);
  await cluster.close();
});

/** Files that a failure of any kind may have left beside those in use. */
const STRAYS = [
  "/data/store-3.sqlite",
  "/data/store-3.sqlite-wal",
  "/data/store-3.sqlite-shm",
  "/data/store-4-b.sqlite-journal",
  "/data/checkpoints/outgoing-77.ckpt",
  "/data/checkpoints/outgoing-77.ckpt.tmp",
  "/data/checkpoints/outgoing-backup-9",
  "/data/checkpoints/outgoing-backup-9.tmp",
  "/data/checkpoints/incoming.part",
  "/data/checkpoints/incoming.note",
  "/data/raft/wal/0000000000000001-512.torn",
];

Deno.test("a scrub takes files along that failures left", async () => {
  const cluster = await sealed();
  for (const name of NAMES) {
    const { disk, kvDisks } = cluster.place(name);
    for (const path of STRAYS) {
      const file = await disk.open(path, "create");
      await file.writeAndSync(0, utf8(CANARY));
      await file.close();
      kvDisks.set(path, new SimKvDisk());
    }
  }
  await scrub(cluster);
  await mustBeClean(cluster);
  for (const name of NAMES) {
    for (const path of STRAYS) {
      assert.equal(await cluster.place(name).disk.exists(path), false, path);
    }
    assert.ok(engineOf(name));
  }
  await cluster.close();
});
