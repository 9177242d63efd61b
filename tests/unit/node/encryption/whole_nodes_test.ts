/*
 * Goal: members with real KEKs, guards, sidecars and sessions go through the
 * life of a cluster's keys: bootstrap, restarts, power cuts, rotation, a member
 * rebuilt from a checkpoint.
 * Method: whole nodes on simulated disks; operators' calls at the leader.
 */
import assert from "node:assert/strict";
import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import { EpochRollbackError } from "../../../../src/node/encryption/errors.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { HEARTBEAT_MS, TestCluster } from "../test_cluster.ts";
import { rebuildMember } from "./rebuild_member.ts";

useTurnCrypto();

const NAMES = ["n1", "n2", "n3"];
const TERMS = { dryRun: false, planHash: "", confirm: "test", accept: [] };
const SMALL_LOG = {
  segmentBytes: 4_096,
  compactAfterBytes: 4_096,
  trailingEntries: 5,
};

async function start(): Promise<TestCluster> {
  const kek = await TestKek.of(7);
  return await TestCluster.start(NAMES, {
    ...SMALL_LOG,
    keys: () => ({
      isEnabled: true,
      kekCount: 1,
      openKeks: () => Promise.resolve([kek]),
    }),
  });
}

async function change(
  cluster: TestCluster,
  request: EncryptionRequest,
): Promise<void> {
  const { encryption } = cluster.node(await cluster.leader());
  const done = encryption.changeEncryption(request, TERMS);
  const { isChanged } = await cluster.clock.until(done);
  assert.ok(isChanged);
}

/** Epochs of the active keys: as registered of each member, seen at `name`. */
async function registered(cluster: TestCluster, name: string): Promise<string> {
  const { keys } = await cluster.node(name).encryption.encryptionStatus();
  return keys
    .filter(({ isActive, purpose }) => isActive && purpose !== "state")
    .sort((a, b) => a.purpose < b.purpose ? 1 : -1)
    .map(({ purpose, writers }) => {
      const epochs = writers.map(({ member, lastEpoch }) =>
        `${member}/${lastEpoch}`
      ).sort();
      return `${purpose} ${epochs.join(" ")}`;
    }).join("; ");
}

/** Passes time until all members say so. */
async function settles(cluster: TestCluster, expected: string): Promise<void> {
  let told: readonly string[] = [];
  for (let ms = 0; ms < 10_000; ms += HEARTBEAT_MS) {
    told = await Promise.all(NAMES.map((name) => registered(cluster, name)));
    if (told.every((text) => text === expected)) return;
    await cluster.clock.run(HEARTBEAT_MS);
  }
  assert.deepEqual(told, NAMES.map(() => expected));
}

async function restart(cluster: TestCluster, name: string): Promise<void> {
  await cluster.stop(name);
  cluster.place(name).disk.restart("none");
  await cluster.open(name);
  await cluster.ready();
}

Deno.test("members keep their keys through restarts, rotation and a rebuild", async () => {
  const cluster = await start();
  await change(cluster, { kind: "bootstrap" });
  await settles(cluster, "storage n1/1 n2/1 n3/1; raft n1/1 n2/1 n3/1");
  for (const name of NAMES) await restart(cluster, name);
  await settles(cluster, "storage n1/2 n2/2 n3/2; raft n1/2 n2/2 n3/2");
  await change(cluster, { kind: "rotate-dek", purpose: "storage" });
  await settles(cluster, "storage n1/1 n2/1 n3/1; raft n1/2 n2/2 n3/2");
  for (let i = 0; i < 40; i += 1) {
    await cluster.clock.until(cluster.write("n2", `${i}`));
  }
  const leader = await cluster.leader();
  const name = NAMES.find((one) => one !== leader)!;
  await rebuildMember(cluster, name);
  await cluster.ready();
  const epochs = (own: number, others: number) =>
    NAMES.map((one) => `${one}/${one === name ? own : others}`).join(" ");
  await settles(cluster, `storage ${epochs(2, 1)}; raft ${epochs(3, 2)}`);
  assert.equal(cluster.place(name).log.named("store_replaced").length, 1);
  await restart(cluster, name);
  await settles(cluster, `storage ${epochs(3, 1)}; raft ${epochs(4, 2)}`);
  await cluster.close();
});

Deno.test("a data dir that missed one start stops when it has caught up", async () => {
  const cluster = await start();
  await change(cluster, { kind: "bootstrap" });
  await settles(cluster, "storage n1/1 n2/1 n3/1; raft n1/1 n2/1 n3/1");
  const leader = await cluster.leader();
  const [name, other] = NAMES.filter((one) => one !== leader);
  await cluster.stop(name!);
  const image = cluster.copy(name!);
  await cluster.open(name!);
  await cluster.ready();
  await cluster.stop(name!);
  cluster.putBack(image);
  // The next leader does not know how far this member once was.
  await cluster.stop(leader);
  await cluster.open(leader);
  await cluster.ready([other!, leader]);
  // It begins the very epoch that the missed start registered.
  await cluster.open(name!);
  await cluster.clock.run(3_000);
  const { fatal } = cluster.place(name!);
  assert.ok(fatal instanceof EpochRollbackError);
  assert.equal(fatal.finding?.epoch, fatal.finding?.registered);
  for (const one of [name!, other!, leader]) await cluster.stop(one);
});

Deno.test("a data dir that was put back, sidecar and all, is shut out", async () => {
  const cluster = await start();
  await change(cluster, { kind: "bootstrap" });
  await settles(cluster, "storage n1/1 n2/1 n3/1; raft n1/1 n2/1 n3/1");
  const leader = await cluster.leader();
  const [name, other] = NAMES.filter((one) => one !== leader);
  await cluster.stop(name!);
  const image = cluster.copy(name!);
  await cluster.open(name!);
  await cluster.ready();
  await restart(cluster, name!);
  await cluster.stop(name!);
  cluster.putBack(image);
  await cluster.open(name!);
  await cluster.clock.run(3_000);
  const { fatal } = cluster.place(name!);
  assert.ok(fatal instanceof EpochRollbackError);
  for (const one of [name!, other!, leader]) await cluster.stop(one);
});

Deno.test("a crash while a checkpoint with keys is installed is made good by the next start", async () => {
  let crashes = 0;
  for (const kind of ["none", "all", "torn"] as const) {
    for (let operation = 3; operation < 70; operation += 11) {
      const cluster = await start();
      await change(cluster, { kind: "bootstrap" });
      await settles(cluster, "storage n1/1 n2/1 n3/1; raft n1/1 n2/1 n3/1");
      const leader = await cluster.leader();
      const name = NAMES.find((one) => one !== leader)!;
      await rebuildMember(cluster, name);
      const { disk } = cluster.place(name);
      disk.crashAt = disk.operations + operation;
      await cluster.clock.run(1_000);
      if (cluster.place(name).fatal !== null) crashes += 1;
      await cluster.node(name).stop().catch(() => {});
      disk.restart(kind);
      await cluster.open(name);
      await cluster.ready();
      const others = NAMES.filter((one) => one !== name);
      await cluster.clock.run(2_000);
      const [storage] = (await registered(cluster, leader)).split("; ");
      const own = Number(storage!.match(`${name}/(\\d+)`)![1]);
      assert.ok(own >= 2, `${kind} ${operation}: above the earlier member's`);
      for (const one of others) assert.ok(storage!.includes(`${one}/1`));
      await cluster.close();
    }
  }
  assert.ok(crashes > 10, `${crashes} crashes`);
});
