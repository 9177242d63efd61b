/*
 * Goal: steps that every member has a part in end cleanly or go on, whatever
 * becomes of members and of the leader meanwhile.
 * Method: whole nodes with real keys; leaders and members are cut off, stopped
 * or rebuilt at many moments of each step.
 */
import assert from "node:assert/strict";
import { NodeError } from "../../../../src/base/error.ts";
import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import type { TestCluster } from "../test_cluster.ts";
import { engineOf } from "./encrypted_cluster.ts";
import {
  cutRaftOver,
  everywhere,
  fill,
  NAMES,
  propose,
  proposeRollout,
  readAll,
  rewrite,
  rotate,
  scan,
  sealCleartext,
  start,
  stateOf,
  TERMS,
} from "./member_steps.ts";
import { rebuildMember } from "./rebuild_member.ts";

useTurnCrypto();

const RECORDS = 40;

function ask(cluster: TestCluster, leader: string, request: EncryptionRequest) {
  return cluster.node(leader).encryption.changeEncryption(request, TERMS);
}

async function others(cluster: TestCluster): Promise<readonly string[]> {
  const leader = await cluster.leader();
  return NAMES.filter((name) => name !== leader);
}

async function storageOn(): Promise<TestCluster> {
  const cluster = await start();
  await fill(cluster, 0, RECORDS);
  await propose(cluster, { kind: "enable-storage-envelope" });
  return cluster;
}

async function phase2(): Promise<TestCluster> {
  const cluster = await storageOn();
  await rewrite(cluster);
  await sealCleartext(cluster);
  await cutRaftOver(cluster);
  return cluster;
}

async function check(cluster: TestCluster): Promise<void> {
  for (const name of NAMES) {
    assert.equal(cluster.place(name).fatal, null, name);
    assert.equal((await readAll(cluster, name)).length, RECORDS, name);
  }
  await cluster.close();
}

/** Cuts the leader off `afterMs` after it was asked; gives what it told. */
async function loseLeader(
  cluster: TestCluster,
  request: EncryptionRequest,
  afterMs: number,
): Promise<unknown> {
  const leader = await cluster.leader();
  const told = ask(cluster, leader, request).then(() => null, (error) => error);
  await cluster.clock.run(afterMs);
  cluster.network.isolate(leader);
  await cluster.leader(NAMES.filter((name) => name !== leader));
  cluster.network.heal();
  const outcome = await cluster.clock.until(told);
  await cluster.ready();
  await cluster.clock.run(1_000);
  return outcome;
}

const MOMENTS = [0, 2, 10, 21, 22, 23, 24, 30, 61];

Deno.test("a lock whose leader goes is all or nothing, and is done by the next", async () => {
  for (const afterMs of MOMENTS) {
    const cluster = await storageOn();
    await rewrite(cluster);
    const request = { kind: "seal-cleartext" } as const;
    const told = await loseLeader(cluster, request, afterMs);
    const indexes = NAMES.map((name) => stateOf(name).cleartextLockIndex);
    assert.equal(new Set(indexes).size, 1, indexes.join());
    if (told === null) assert.ok(indexes[0]! > 0);
    else assert.ok(told instanceof NodeError, `${told}`);
    const leader = await cluster.leader();
    await cluster.clock.until(ask(cluster, leader, request));
    await everywhere(cluster, (name) => stateOf(name).cleartextLockIndex > 0);
    await check(cluster);
  }
});

Deno.test("a key whose retirement loses its leader is there or not, and goes in the end", async () => {
  for (const afterMs of MOMENTS) {
    const cluster = await phase2();
    const keyId = await rotate(cluster, "raft");
    const request = { kind: "retire-dek", keyId } as const;
    const told = await loseLeader(cluster, request, afterMs);
    const gone = NAMES.map((name) => stateOf(name).retired.has(keyId));
    assert.equal(new Set(gone).size, 1, gone.join());
    if (told === null) assert.ok(gone[0]);
    else assert.ok(told instanceof NodeError, `${told}`);
    const leader = await cluster.leader();
    await cluster.clock.until(ask(cluster, leader, request));
    await everywhere(cluster, (name) => stateOf(name).retired.has(keyId));
    await check(cluster);
  }
});

Deno.test("a member that is away keeps a key from going, and what it lags is no proof", async () => {
  for (const purpose of ["storage", "raft"] as const) {
    const cluster = await phase2();
    const [away] = await others(cluster);
    cluster.network.isolate(away!);
    const leader = await cluster.leader(NAMES.filter((one) => one !== away));
    const keyId = stateOf(leader).active[purpose];
    const rotation = { kind: "rotate-dek", purpose } as const;
    const { unreachable } = await cluster.clock.until(
      ask(cluster, leader, rotation),
    );
    assert.deepEqual(unreachable, [away]);
    const request = { kind: "retire-dek", keyId } as const;
    await assert.rejects(
      cluster.clock.until(ask(cluster, leader, request)),
      { code: "NODE_MEMBER_SILENT" },
    );
    cluster.network.heal();
    // It has entries under the old key to apply, and the rotation.
    const next = await cluster.leader();
    const retired = ask(cluster, next, request).then(
      () => null,
      (error) => error,
    );
    const told = await cluster.clock.until(retired);
    if (told !== null) {
      assert.ok(told instanceof NodeError);
      assert.equal(told.code, "NODE_KEY_IN_USE");
      await everywhere(
        cluster,
        (name) => engineOf(name).memberPart.rewriteState === "done",
      );
      await cluster.clock.until(ask(cluster, next, request));
    }
    await everywhere(cluster, (name) => stateOf(name).retired.has(keyId));
    await check(cluster);
  }
});

Deno.test("a member that stopped is named, and does its part when it is back", async () => {
  const cluster = await storageOn();
  await rewrite(cluster);
  const [away] = await others(cluster);
  const leader = await cluster.leader();
  await cluster.stop(away!);
  const request = { kind: "seal-cleartext" } as const;
  await assert.rejects(cluster.clock.until(ask(cluster, leader, request)), {
    code: "NODE_MEMBER_SILENT",
    message: new RegExp(`"${away}"`),
  });
  assert.equal(stateOf(leader).cleartextLockIndex, 0);
  await cluster.open(away!);
  await cluster.ready();
  await cluster.clock.run(1_000);
  await cluster.clock.until(ask(cluster, await cluster.leader(), request));
  await everywhere(cluster, (name) => stateOf(name).cleartextLockIndex > 0);
  await check(cluster);
});

Deno.test("a rewrite gets through restarts, a pause, a rotation and a checkpoint", async () => {
  const cluster = await storageOn();
  const slow = { kind: "start-rewrite", bytesPerSecond: 400 } as const;
  await proposeRollout(cluster, slow);
  await cluster.clock.run(700);
  const [first, second] = await others(cluster);
  await cluster.stop(first!);
  await cluster.open(first!);
  await cluster.ready();
  await proposeRollout(cluster, { kind: "pause-rewrite" });
  await everywhere(
    cluster,
    (name) => engineOf(name).memberPart.rewriteState === "paused",
  );
  const before = await scan(cluster);
  await cluster.clock.run(3_000);
  const after = await scan(cluster);
  assert.deepEqual(
    after.map(({ counts }) => counts),
    before.map(({ counts }) => counts),
    "nothing is sealed under pause, after a restart either",
  );
  assert.ok(after.every(({ counts }) => counts!.cleartext > 0));
  const old = await rotate(cluster, "storage");
  await rebuildMember(cluster, second!);
  await cluster.ready();
  await proposeRollout(
    cluster,
    { kind: "resume-rewrite", bytesPerSecond: 0 },
  );
  await everywhere(
    cluster,
    (name) => engineOf(name).memberPart.rewriteState === "done",
  );
  const active = stateOf(first!).active.storage;
  assert.notEqual(active, old);
  for (const { counts } of await scan(cluster)) {
    assert.deepEqual(counts, {
      cleartext: 0,
      sealed: new Map([[active, RECORDS]]),
    });
  }
  await cluster.stop(first!);
  await cluster.open(first!);
  await cluster.ready();
  await everywhere(
    cluster,
    (name) => engineOf(name).memberPart.rewriteState === "done",
  );
  await check(cluster);
});
