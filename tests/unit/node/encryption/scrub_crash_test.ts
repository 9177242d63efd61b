/*
 * Goal: whenever the machine dies during a scrub, it comes back with all its
 * records, and a scrub then leaves nothing that was written in cleartext.
 * Method: one whole node on a simulated disk where commits of stores are
 * operations too; die in the nth for every n, restart with what a disk may
 * keep, read, scrub to the end.
 */
import assert from "node:assert/strict";
import { NodeError } from "../../../../src/base/error.ts";
import { CRASH_KINDS, type CrashKind, SimCrash } from "../../../sim/io/disk.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import type { TestCluster } from "../test_cluster.ts";
import { engineOf } from "./encrypted_cluster.ts";
import {
  canaries,
  context,
  cutRaftOver,
  fill,
  propose,
  readAll,
  rewrite,
  sealCleartext,
  start,
  work,
} from "./member_steps.ts";

useTurnCrypto();

const ONE = ["n1"];
const RECORDS = 12;

async function sealed(): Promise<TestCluster> {
  const cluster = await start(ONE);
  await fill(cluster, 0, RECORDS);
  await propose(cluster, { kind: "enable-storage-envelope" });
  await rewrite(cluster);
  await sealCleartext(cluster);
  await cutRaftOver(cluster);
  // Its own registration, and what else comes by itself.
  await cluster.clock.run(1_000);
  return cluster;
}

async function scrub(cluster: TestCluster): Promise<void> {
  const steps = await work(cluster);
  const terms = await context(cluster);
  await cluster.clock.until(steps.scrub(terms.members, terms));
}

async function check(cluster: TestCluster): Promise<void> {
  await cluster.ready();
  assert.equal((await readAll(cluster, "n1")).length, RECORDS);
  assert.equal(cluster.place("n1").fatal, null);
}

/** How often the machine changes something during a whole scrub. */
async function operationsOf(cluster: TestCluster): Promise<number> {
  const { disk } = cluster.place("n1");
  const before = disk.operations;
  await scrub(cluster);
  return disk.operations - before;
}

async function dieIn(
  cluster: TestCluster,
  crashAt: number,
  kind: CrashKind,
): Promise<void> {
  const { disk } = cluster.place("n1");
  disk.crashAt = disk.operations + crashAt;
  await scrub(cluster).catch((error) => {
    assert.ok(error instanceof NodeError || error instanceof SimCrash, error);
  });
  await cluster.stop("n1").catch(() => {});
  disk.restart(kind);
  await cluster.open("n1");
}

for (const kind of CRASH_KINDS) {
  Deno.test(`a scrub that the machine dies in is done again (${kind})`, async () => {
    const whole = await sealed();
    const operations = await operationsOf(whole);
    await whole.close();
    assert.ok(operations > 20, `${operations}`);
    const step = 3;
    const first = CRASH_KINDS.indexOf(kind) % step;
    for (let at = 1 + first; at <= operations; at += step) {
      const cluster = await sealed();
      await dieIn(cluster, at, kind);
      await check(cluster);
      await scrub(cluster);
      await check(cluster);
      const path = `${at} of ${operations}`;
      assert.deepEqual(await canaries(cluster, "n1"), [], path);
      assert.ok(engineOf("n1"));
      await cluster.close();
    }
  });
}
