import assert from "node:assert/strict";
import { REQUEST_MS_MAX } from "../../../src/node/limits.ts";
import { ELECTION_MS, TestCluster } from "./test_cluster.ts";

const NAMES = ["n1", "n2", "n3"];
const ANY = { dryRun: false, planHash: "", confirm: "test", accept: [] };

/** Each key of `keys` is there and was written once, at every one of `names`. */
async function mustHold(
  cluster: TestCluster,
  names: readonly string[],
  keys: string,
): Promise<void> {
  for (const name of names) {
    const held = await cluster.read(name);
    assert.deepEqual(held, { keys, count: keys.length }, name);
  }
}

function others(name: string): readonly string[] {
  return NAMES.filter((other) => other !== name);
}

Deno.test("Nodes take writes and strong reads at every member", async () => {
  const cluster = await TestCluster.start(NAMES);
  for (const [nth, name] of NAMES.entries()) {
    const reply = await cluster.clock.until(cluster.write(name, `${nth}`));
    assert.equal(reply.kind, "committed");
    await mustHold(cluster, NAMES, "012".slice(0, nth + 1));
  }
  await cluster.close();
});

Deno.test("Nodes agree on who they are and say so", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  await cluster.clock.run(3_000);
  const id = cluster.node("n1").clusterId();
  for (const name of NAMES) {
    const { members, ...status } = cluster.node(name).status();
    assert.deepEqual(status.clusterId, id);
    assert.deepEqual([status.cluster, status.node], ["test", name]);
    assert.deepEqual(members.map((one) => one.id), [1, 2, 3]);
    for (const one of members) {
      assert.equal(one.role, one.name === leader ? "leader" : "follower");
      assert.ok(one.up && one.ready && one.isVoter && one.hasStarted, one.name);
      assert.equal(one.peerAddress, `${one.name}:1`);
      assert.equal(one.lag, 0, one.name);
    }
  }
  await cluster.close();
});

Deno.test("Node.stop() hands the leadership over: nothing fails, nothing twice", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  const [next, last] = others(leader) as [string, string];
  const keys = [..."abcdefghijklmnopqrst"];
  const writes: Promise<{ kind: string }>[] = [];
  for (const [nth, key] of keys.entries()) {
    if (nth === 8) void cluster.node(leader).stop();
    const at = nth < 8 ? NAMES[nth % 3]! : nth % 2 === 0 ? next : last;
    writes.push(cluster.write(at, key));
    await cluster.clock.run(7);
  }
  const stoppedMs = cluster.clock.monotonicMs();
  const replies = await cluster.clock.until(Promise.all(writes));
  assert.ok(replies.every(({ kind }) => kind === "committed"));
  assert.ok(cluster.clock.monotonicMs() - stoppedMs < ELECTION_MS);
  await cluster.stop(leader);
  assert.notEqual(await cluster.leader([next, last]), leader);
  await mustHold(cluster, [next, last], keys.join(""));
  await cluster.open(leader);
  await cluster.ready();
  await mustHold(cluster, NAMES, keys.join(""));
  await cluster.close();
});

Deno.test("Node cut off while it leads loses no write and makes none twice", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  await cluster.clock.until(cluster.write(leader, "a"));
  // Some are on their way to the others, some never leave.
  const early = cluster.write(leader, "b");
  const forwarded = others(leader).map((name, i) =>
    cluster.write(name, "cd"[i]!)
  );
  await cluster.clock.run(1);
  cluster.network.isolate(leader);
  const late = [cluster.write(leader, "e"), cluster.write(leader, "f")];
  const elected = await cluster.leader(others(leader));
  const fresh = cluster.write(elected, "g");
  const done = await cluster.clock.until(Promise.all([...forwarded, fresh]));
  assert.ok(done.every(({ kind }) => kind === "committed"));
  const { keys } = await cluster.read(elected);
  assert.ok(!keys.includes("e") && !keys.includes("f"), "they wait");
  cluster.network.heal();
  const waited = await cluster.clock.until(Promise.all([early, ...late]));
  assert.ok(waited.every(({ kind }) => kind === "committed"));
  await mustHold(cluster, NAMES, "abcdefg");
  await cluster.close();
});

Deno.test("Node alone for too long gives its clients up, honestly", async () => {
  const electionMs = 5_000;
  const cluster = await TestCluster.start(NAMES, {
    heartbeatMs: electionMs / 5,
    electionMs,
  });
  const leader = await cluster.leader();
  cluster.network.isolate(leader);
  const inLog = cluster.write(leader, "a");
  const reading = cluster.node(leader)
    .read({ database: "", ranges: [], strong: true });
  // A leader that hears nobody steps down within two election timeouts.
  await cluster.clock.run(electionMs * 2);
  const waiting = cluster.write(leader, "b");
  const outcomes = Promise.allSettled([inLog, waiting, reading]);
  await cluster.clock.run(REQUEST_MS_MAX + electionMs);
  assert.deepEqual(
    (await outcomes).map((one) =>
      one.status === "rejected" ? one.reason.name : one.status
    ),
    ["OutcomeUnknownError", "NotReadyError", "NotReadyError"],
  );
  cluster.network.heal();
  await cluster.leader();
  const held = await cluster.read(leader);
  assert.ok(!held.keys.includes("b"), "what is told not done never is");
  assert.equal(held.count, held.keys.length);
  await cluster.close();
});

Deno.test("Node.read() is never stale while another leads", async () => {
  const cluster = await TestCluster.start(NAMES, { readLease: true });
  const leader = await cluster.leader();
  await cluster.read(leader);
  cluster.network.isolate(leader);
  const elected = await cluster.leader(others(leader));
  await cluster.clock.until(cluster.write(elected, "a"));
  const stale = cluster.node(leader)
    .read({ database: "", ranges: [], strong: true });
  let isAnswered = false;
  stale.then(() => isAnswered = true, () => isAnswered = true);
  await cluster.clock.run(ELECTION_MS * 3);
  assert.equal(isAnswered, false);
  cluster.network.heal();
  await cluster.clock.until(stale);
  await mustHold(cluster, NAMES, "a");
  await cluster.close();
});

Deno.test("Node.changeMembers() hands the leadership where it is told", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  const [heir] = others(leader) as [string];
  await cluster.clock.run(1_000);
  const writes = NAMES.map((name, i) => cluster.write(name, `${i}`));
  const result = await cluster.clock.until(
    cluster.node(leader).changeMembers(
      { kind: "transfer-leader", name: heir },
      ANY,
    ),
  );
  assert.ok(result.isChanged);
  assert.equal(await cluster.leader(), heir);
  await cluster.clock.until(Promise.all(writes));
  await mustHold(cluster, NAMES, "012");
  await cluster.close();
});

Deno.test("Node.changeMembers() refuses on a member that does not lead", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  const [follower] = others(leader) as [string];
  await assert.rejects(
    cluster.node(follower).changeMembers(
      { kind: "transfer-leader", name: "" },
      ANY,
    ),
    { code: "NODE_NOT_LEADER", leader },
  );
  await cluster.close();
});

Deno.test("Node.changeMembers() removes a follower, which then stops", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  const [gone, kept] = others(leader) as [string, string];
  await cluster.clock.run(1_000);
  const write = cluster.write(gone, "a");
  const result = await cluster.clock.until(
    cluster.node(leader).changeMembers({ kind: "remove", name: gone }, ANY),
  );
  assert.ok(result.isChanged);
  await cluster.clock.until(write);
  await cluster.clock.run(2_000);
  assert.equal(cluster.place(gone).fatal?.name, "MemberRemovedError");
  await cluster.clock.until(cluster.write(kept, "b"));
  await mustHold(cluster, [leader, kept], "ab");
  const names = cluster.node(kept).status().members.map(({ name }) => name);
  assert.deepEqual(names, [leader, kept].sort());
  cluster.place(gone).fatal = null;
  await cluster.close();
});

Deno.test("Node.changeMembers() removes the leader itself, under load", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  const [next, last] = others(leader) as [string, string];
  await cluster.clock.run(1_000);
  const keys = [..."abcdefgh"];
  const writes = keys.map((key, i) =>
    cluster.write(i % 2 === 0 ? next : last, key)
  );
  const startedMs = cluster.clock.monotonicMs();
  const result = await cluster.clock.until(
    cluster.node(leader).changeMembers({ kind: "remove", name: leader }, ANY),
  );
  assert.ok(result.isChanged);
  assert.ok(cluster.clock.monotonicMs() - startedMs < 4 * ELECTION_MS);
  await cluster.clock.until(Promise.all(writes));
  await cluster.clock.run(2_000);
  assert.equal(cluster.place(leader).fatal?.name, "MemberRemovedError");
  await mustHold(cluster, [next, last], keys.join(""));
  cluster.place(leader).fatal = null;
  await cluster.close();
});

Deno.test("Nodes start again from their disks, whoever led", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  await cluster.clock.until(cluster.write(leader, "a"));
  for (const name of NAMES) void cluster.node(name).stop();
  for (const name of NAMES) await cluster.stop(name);
  for (const name of NAMES) await cluster.open(name);
  await cluster.ready();
  await mustHold(cluster, NAMES, "a");
  await cluster.close();
});
