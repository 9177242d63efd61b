/*
 * Goal: through the raft cutover, and whatever happens to leaders meanwhile, no
 * write fails or takes place twice, and the log is sealed exactly above the
 * marker.
 * Method: whole nodes on simulated disks, links and time; the committed log of
 * all members is looked at.
 */
import assert from "node:assert/strict";
import type { EncryptionOutcome } from "../../../../src/node/encryption/outcomes.ts";
import { FORWARDED_PROPOSALS_MAX } from "../../../../src/node/limits.ts";
import { CutoverAbortedError } from "../../../../src/node/raft_sealing/errors.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { NAMES } from "../encryption/changes_world.ts";
import { HEARTBEAT_MS } from "../test_cluster.ts";
import { CutoverWorld } from "./cutover_world.ts";

useTurnCrypto();

const LETTERS = "abcdefghijkl";

/** Writes a letter at each member in turn, a few ms apart. */
async function writeAt(
  world: CutoverWorld,
  names: readonly string[],
  keys: string,
): Promise<Promise<{ kind: string }>[]> {
  const replies: Promise<{ kind: string }>[] = [];
  for (const [nth, key] of [...keys].entries()) {
    const reply = world.cluster.write(names[nth % names.length]!, key);
    reply.catch(() => {});
    replies.push(reply);
    await world.clock.run(1);
  }
  return replies;
}

async function allDone(
  world: CutoverWorld,
  replies: readonly Promise<{ kind: string }>[],
): Promise<void> {
  const done = await world.clock.until(Promise.all(replies));
  assert.ok(done.every(({ kind }) => kind === "committed"));
}

Deno.test("writes at every member wait through the cutover and go on sealed", async () => {
  const world = await CutoverWorld.start();
  const before = await writeAt(world, NAMES, "abcdef");
  const leader = await world.cluster.leader();
  const cutover = world.begin(leader);
  const after = await writeAt(world, NAMES, "ghijkl");
  const outcome = await world.clock.until(cutover);
  await allDone(world, [...before, ...after]);
  assert.deepEqual(outcome, {
    kind: "taken",
    index: world.cutoverIndex(leader),
  });
  await world.holds(LETTERS);
  const { log } = world.cluster.place(leader);
  const [opened] = log.named("encryption_gate_opened");
  assert.equal(opened?.fields?.why, "sealed");
  assert.ok(Number(opened?.fields?.ms) < 250, `${opened?.fields?.ms} ms`);
  const [keyId] = [...world.sealedBy().keys()].filter((id) => id !== 0);
  assert.equal(keyId, (await world.world.active(leader, "raft")).id);
  await world.cluster.close();
});

Deno.test("a cutover that was is told as it was, and does nothing", async () => {
  const world = await CutoverWorld.start();
  const index = await world.cutOver();
  assert.ok(index > 0);
  assert.equal(await world.cutOver(), index);
  world.sealedBy();
  await world.cluster.close();
});

Deno.test("members go on sealed through restarts, new leaders and rotations", async () => {
  const world = await CutoverWorld.start();
  await world.cutOver();
  const first = (await world.world.active("n1", "raft")).id;
  let keys = "";
  for (const [nth, name] of [...NAMES, ...NAMES].entries()) {
    await world.world.unlead(name);
    await world.cluster.stop(name);
    world.cluster.place(name).disk.restart("none");
    await world.cluster.open(name);
    await world.cluster.ready();
    const key = LETTERS[nth]!;
    await allDone(world, [world.cluster.write(name, key)]);
    keys += key;
    await world.world.registered();
    if (nth === 2) {
      await world.world.done({ kind: "rotate-dek", purpose: "raft" });
      await world.world.registered();
    }
  }
  await world.holds(keys);
  const second = (await world.world.active("n1", "raft")).id;
  assert.notEqual(second, first);
  const counts = world.sealedBy();
  assert.ok(counts.get(first)! > 3 && counts.get(second)! > 3);
  await world.cluster.close();
});

Deno.test("a leader whom no quorum hears gives up, and its writes go on", async () => {
  const world = await CutoverWorld.start();
  const leader = await world.cluster.leader();
  const { network } = world.cluster;
  network.isolate(leader);
  const replies = await writeAt(world, [leader], "abc");
  const cutover = world.begin(leader);
  await assert.rejects(world.clock.until(cutover), CutoverAbortedError);
  network.heal();
  await allDone(world, replies);
  await world.holds("abc");
  const { log } = world.cluster.place(leader);
  assert.deepEqual(log.named("encryption_gate_closed"), []);
  await world.cutOver();
  world.sealedBy();
  await world.cluster.close();
});

/** Lets the leader propose its marker, then cuts it off before or after. */
async function markerAt(
  world: CutoverWorld,
  leader: string,
  afterMs: number,
): Promise<{ readonly outcome: Promise<EncryptionOutcome> }> {
  const outcome = world.begin(leader);
  const { sealing } = world.world.engine(leader);
  for (let ms = 0; !sealing.cutover.isInDoubt; ms += 1) {
    assert.ok(ms < 1_000);
    await world.clock.run(1);
  }
  await world.clock.run(afterMs);
  world.cluster.network.isolate(leader);
  return { outcome };
}

Deno.test("a marker that nobody else has is overwritten: nothing was sealed", async () => {
  const world = await CutoverWorld.start();
  const [leader, ...others] = await world.world.roles();
  // What the marker is sent in is lost with the links.
  const { outcome: cutover } = await markerAt(world, leader, 0);
  const kept = await writeAt(world, [leader], "ab");
  await world.clock.run(40 * HEARTBEAT_MS);
  const { sealing } = world.world.engine(leader);
  assert.equal(sealing.cutover.isInDoubt, true, "whatever time passes");
  const next = await writeAt(world, others, "cd");
  await allDone(world, next);
  world.cluster.network.heal();
  await allDone(world, kept);
  const { kind } = await world.clock.until(cutover);
  assert.equal(kind, "lost");
  assert.equal(sealing.cutover.isInDoubt, false);
  assert.deepEqual(NAMES.map((name) => world.cutoverIndex(name)), [0, 0, 0]);
  world.sealedBy();
  await world.cutOver();
  await allDone(world, await writeAt(world, NAMES, "efg"));
  await world.holds("abcdefg");
  world.sealedBy();
  await world.cluster.close();
});

Deno.test("a marker that others have takes place without its leader", async () => {
  const world = await CutoverWorld.start();
  const [leader, ...others] = await world.world.roles();
  const { network } = world.cluster;
  // Others get it; what they answer does not come back.
  const { outcome: cutover } = await markerAt(world, leader, 1);
  const { sealing } = world.world.engine(leader);
  const kept = await writeAt(world, [leader], "ab");
  const next = await writeAt(world, others, "cd");
  await allDone(world, next);
  const index = world.cutoverIndex(others[0]!);
  assert.ok(index > 0, "the next leader has applied it before it proposed");
  network.heal();
  await allDone(world, kept);
  const outcome = await world.clock.until(cutover);
  assert.deepEqual(outcome, { kind: "taken", index });
  assert.equal(sealing.cutover.isInDoubt, false);
  await world.holds("abcd");
  world.sealedBy();
  await world.cluster.close();
});

Deno.test("a new leader with much to propose lets the marker take place first", async () => {
  const world = await CutoverWorld.start();
  const [leader, ...others] = await world.world.roles();
  const { outcome } = await markerAt(world, leader, 1);
  // More than a member forwards at once: the rest waits for the next leader.
  assert.ok(LETTERS.length / others.length > FORWARDED_PROPOSALS_MAX);
  const replies = await writeAt(world, others, LETTERS);
  await allDone(world, replies);
  world.cluster.network.heal();
  assert.equal((await world.clock.until(outcome)).kind, "taken");
  await world.holds(LETTERS);
  world.sealedBy();
  await world.cluster.close();
});

Deno.test("no other change begins while a marker is in doubt", async () => {
  const world = await CutoverWorld.start();
  const [leader] = await world.world.roles();
  const { outcome: cutover } = await markerAt(world, leader, 0);
  await assert.rejects(
    world.clock.until(
      world.world.ask(leader, { kind: "rotate-dek", purpose: "raft" }),
    ),
    { code: "NODE_CHANGE_UNDER_WAY" },
  );
  world.cluster.network.heal();
  await world.clock.until(cutover);
  await world.cluster.close();
});
