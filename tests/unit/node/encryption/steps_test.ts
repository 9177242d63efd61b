/*
 * Goal: the steps of a rollout do on every member what they say, are done once,
 * leave a line of history, and a refused one changes nothing but that line.
 * Method: a cluster of whole nodes on simulated time.
 */
import assert from "node:assert/strict";
import type { RolloutEvent } from "../../../../src/fsm/types.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { BOOTSTRAP, ChangesWorld, NAMES, ROTATE } from "./changes_world.ts";

useTurnCrypto();

const ON = { kind: "enable-storage-envelope" } as const;

/** History as `name` has applied it, in words. */
function historyOf(world: ChangesWorld, name: string): readonly string[] {
  const { events } = world.operations(name).rolloutState();
  return events.map(({ action, result, entry, detail }: RolloutEvent) =>
    [action, result, entry, detail].join(" ").trimEnd()
  );
}

/** Passes time until all have `count` lines of history; returns them. */
async function historyAfter(
  world: ChangesWorld,
  count: number,
): Promise<readonly string[]> {
  await world.until(() =>
    NAMES.every((name) => historyOf(world, name).length === count)
  );
  const [first = [], ...others] = NAMES.map((name) => historyOf(world, name));
  for (const other of others) assert.deepEqual(other, first);
  return first;
}

Deno.test("enable-storage-envelope draws the keys that it needs, once", async () => {
  const world = await ChangesWorld.start();
  const on = await world.done(ON, { actor: "token:ops" });
  assert.ok(on.isChanged && on.index > 0);
  assert.ok(on.plan.steps.some((step) => step.startsWith("draw a storage")));
  await world.registered();
  for (const name of NAMES) {
    const status = await world.status(name);
    assert.equal(status.storageCutoverIndex, on.index);
    assert.equal(status.phase, 1);
    assert.equal(status.keys.length, 3);
  }
  const again = await world.done(ON, { confirm: "" });
  assert.deepEqual([again.isChanged, again.index], [false, on.index]);
  assert.deepEqual(await historyAfter(world, 2), [
    `enable-storage-envelope done ${on.index}`,
    `enable-storage-envelope unchanged ${on.index}`,
  ]);
  const [event] = world.operations("n2").rolloutState().events;
  assert.equal(event?.actor, "token:ops");
  assert.equal(event?.planHash, on.plan.hash);
  await world.cluster.close();
});

Deno.test("enable-storage-envelope goes on with the keys that there are", async () => {
  const world = await ChangesWorld.bootstrapped();
  const before = await world.status("n1");
  const on = await world.done(ON);
  await world.registered();
  const after = await world.status("n1");
  assert.equal(after.storageCutoverIndex, on.index);
  assert.deepEqual(
    after.keys.map(({ id }) => id),
    before.keys.map(({ id }) => id),
  );
  await world.cluster.close();
});

Deno.test("a cutover without every member's proof changes nothing", async () => {
  const world = await ChangesWorld.start({ off: ["n2"] });
  await world.unlead("n2");
  await world.refused(() => world.done(ON), "NODE_CAPABILITY_UNPROVEN");
  await world.refused(
    () => world.done(ON, { confirm: "tset" }),
    "NODE_CONFIRMATION_WRONG",
  );
  assert.deepEqual(await historyAfter(world, 2), [
    "enable-storage-envelope refused 0 NODE_CAPABILITY_UNPROVEN",
    "enable-storage-envelope refused 0 NODE_CONFIRMATION_WRONG",
  ]);
  await world.cluster.close();
});

Deno.test("a dry run leaves no line", async () => {
  const world = await ChangesWorld.bootstrapped();
  await world.done(ROTATE, { dryRun: true });
  const dry = await world.done(ON, { dryRun: true, confirm: "" });
  assert.equal(dry.isChanged, false);
  await world.done(ON, { planHash: dry.plan.hash });
  const lines = await historyAfter(world, 2);
  assert.match(lines[0] ?? "", /^bootstrap done/);
  assert.match(lines[1] ?? "", /^enable-storage-envelope done/);
  await world.cluster.close();
});

Deno.test("a rewrite is started, paused and resumed on every member", async () => {
  const world = await ChangesWorld.bootstrapped();
  await world.refused(
    () => world.done({ kind: "start-rewrite", bytesPerSecond: 9 }),
    "NODE_PHASE_TOO_LOW",
  );
  await world.done(ON);
  await world.registered();
  await world.refused(
    () => world.done({ kind: "pause-rewrite" }),
    "NODE_REWRITE_NOT_STARTED",
  );
  const jobs = async () => {
    await world.cluster.clock.run(300);
    return NAMES.map((name) => world.operations(name).rolloutState().rewrite);
  };
  const started = await world.done({
    kind: "start-rewrite",
    bytesPerSecond: 9,
  });
  const job = { id: started.index, bytesPerSecond: 9, isPaused: false };
  assert.deepEqual(await jobs(), [job, job, job]);
  await world.done({ kind: "pause-rewrite" });
  const paused = { ...job, isPaused: true };
  assert.deepEqual(await jobs(), [paused, paused, paused]);
  const again = await world.done({ kind: "pause-rewrite" });
  assert.deepEqual([again.isChanged, again.index], [false, started.index]);
  await world.done({ kind: "resume-rewrite", bytesPerSecond: 0 });
  const faster = { ...job, bytesPerSecond: 0 };
  assert.deepEqual(await jobs(), [faster, faster, faster]);
  await world.cluster.close();
});

Deno.test("a dwell holds one-way steps up, and ends", async () => {
  const world = await ChangesWorld.bootstrapped();
  await world.done(ON);
  const dwellUntilMs = world.cluster.clock.wallMs() + 3_600_000;
  await world.done({ kind: "update-rollout", dwellUntilMs });
  await world.registered();
  await world.refused(
    () =>
      world.done({ kind: "enable-raft-envelope" }, {
        accept: ["unrewritten"],
      }),
    "NODE_DWELL_NOT_OVER",
  );
  await world.done({ kind: "update-rollout", dwellUntilMs: 0 });
  const raft = await world.done({ kind: "enable-raft-envelope" }, {
    accept: ["unrewritten"],
  });
  await world.registered();
  for (const name of NAMES) {
    const status = await world.status(name);
    assert.equal(status.raftCutoverIndex, raft.index);
    assert.equal(status.phase, 2);
  }
  const again = await world.done({ kind: "enable-raft-envelope" });
  assert.deepEqual([again.isChanged, again.index], [false, raft.index]);
  // The history goes on in a sealed log.
  const lines = await historyAfter(world, 7);
  assert.deepEqual(
    lines.at(-1),
    `enable-raft-envelope unchanged ${raft.index}`,
  );
  await world.cluster.close();
});

Deno.test("the rollout outlives a restart and the leader", async () => {
  const world = await ChangesWorld.bootstrapped();
  await world.done(ON);
  const started = await world.done({
    kind: "start-rewrite",
    bytesPerSecond: 9,
  });
  await historyAfter(world, 3);
  const leader = await world.cluster.leader();
  await world.cluster.stop(leader);
  await world.cluster.open(leader);
  assert.equal(
    world.operations(leader).rolloutState().rewrite?.id,
    started.index,
  );
  await world.done(BOOTSTRAP);
  const lines = await historyAfter(world, 4);
  assert.match(lines[3] ?? "", /^bootstrap unchanged/);
  await world.cluster.close();
});
