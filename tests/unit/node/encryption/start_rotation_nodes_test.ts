/*
 * Goal: members that were started to rotate do it once each, as leaders, before
 * they let clients in; a failure keeps nobody out; a rolling restart is safe.
 * Method: whole nodes with real keys on simulated disks, sealed in both ways.
 */
import assert from "node:assert/strict";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { ChangesWorld, NAMES } from "./changes_world.ts";

useTurnCrypto();

const ROTATING = { rotateOnStart: true };

/** Members that seal records and entries. */
async function sealedWorld(): Promise<ChangesWorld> {
  const world = await ChangesWorld.bootstrapped();
  await world.done({ kind: "enable-storage-envelope" });
  await world.registered();
  await world.done({ kind: "enable-raft-envelope" }, {
    accept: ["unrewritten"],
  });
  await write(world, "abc");
  return world;
}

async function write(world: ChangesWorld, keys: string): Promise<void> {
  for (const [i, key] of [...keys].entries()) {
    const at = NAMES[i % NAMES.length]!;
    await world.cluster.clock.until(world.cluster.write(at, key));
  }
}

/** Stops these, cuts their power, and starts them to rotate. */
async function restart(
  world: ChangesWorld,
  names: readonly string[],
): Promise<void> {
  for (const name of names) await world.cluster.stop(name);
  for (const name of names) {
    world.cluster.place(name).disk.restart("none");
    await world.cluster.open(name, ROTATING);
  }
}

/** Purposes that `name` rotated in its life, by its own will. */
function rotated(world: ChangesWorld, name: string): readonly unknown[] {
  return world.cluster.place(name).log.named("encryption_key_rotated")
    .map(({ fields }) => fields["purpose"]);
}

function failed(world: ChangesWorld, name: string): readonly unknown[] {
  return world.cluster.place(name).log.named("encryption_rotation_failed")
    .map(({ fields }) => fields["code"]);
}

/** Ids of the active keys as `name` has applied them. */
function active(world: ChangesWorld, name: string): readonly number[] {
  const { storage, raft } = world.engine(name).encryption.state.active;
  return [storage, raft];
}

/** Brings `name` to lead. */
async function lead(world: ChangesWorld, name: string): Promise<void> {
  const leader = await world.cluster.leader();
  const terms = { dryRun: false, planHash: "", confirm: "test", accept: [] };
  const change = world.cluster.node(leader)
    .changeMembers({ kind: "transfer-leader", name }, terms);
  await world.cluster.clock.until(change);
  assert.equal(await world.cluster.leader(), name);
}

async function isServed(
  world: ChangesWorld,
  expected: { readonly keys: string; readonly count: number },
): Promise<void> {
  await world.registered();
  for (const name of NAMES) {
    assert.deepEqual(await world.cluster.read(name), expected, name);
    assert.equal(world.cluster.place(name).fatal, null, name);
  }
}

Deno.test("the leader rotates both keys before it lets clients in, each of the others when it leads", async () => {
  const world = await sealedWorld();
  const before = active(world, "n1");
  await restart(world, NAMES);
  const leader = await world.cluster.leader();
  const others = NAMES.filter((name) => name !== leader);
  await world.cluster.ready([leader]);
  const [storage, raft] = active(world, leader);
  assert.ok(storage !== before[0] && raft !== before[1], "at once when ready");
  assert.deepEqual(rotated(world, leader), ["storage", "raft"]);
  await world.cluster.ready();
  await write(world, "d");
  await world.cluster.clock.run(130_000);
  for (const name of others) assert.deepEqual(rotated(world, name), []);
  for (const name of others) {
    const known = active(world, name);
    await lead(world, name);
    await world.until(() => rotated(world, name).length === 2);
    assert.ok(active(world, name).every((id) => !known.includes(id)));
  }
  // Each has done what it was started to do.
  const last = active(world, leader);
  await lead(world, leader);
  await world.cluster.clock.run(130_000);
  assert.deepEqual(active(world, leader), last);
  assert.equal(rotated(world, leader).length, 2);
  await isServed(world, { keys: "abcd", count: 4 });
  await world.cluster.close();
});

Deno.test("a rolling restart that rotates loses no write", async () => {
  const world = await sealedWorld();
  let [isOver, written] = [false, 0];
  const load = (async () => {
    while (!isOver) {
      const running = world.running();
      const at = running[written % running.length]!;
      const reply = await world.cluster.write(at, "l").catch((error) => error);
      if (reply.kind === "committed") written += 1;
      await new Promise<void>((resolve) => {
        world.cluster.clock.after(40, resolve);
      });
    }
  })();
  const keys = new Set<number>();
  for (const name of NAMES) {
    await restart(world, [name]);
    await world.cluster.ready();
    await world.cluster.clock.run(3_000);
    for (const id of active(world, name)) keys.add(id);
  }
  isOver = true;
  await world.cluster.clock.until(load);
  assert.ok(written > 50, `${written} writes`);
  assert.ok(keys.size > 2, "it was rotated on the way");
  await world.registered();
  const held = await world.cluster.read("n1");
  assert.ok(held.count >= written + 3, `${held.count} of ${written}`);
  await world.cluster.close();
});

Deno.test("a rotation that fails keeps nobody out, is told, and tried again", async () => {
  const world = await sealedWorld();
  const before = active(world, "n1");
  for (const name of NAMES) {
    world.kek(name).beforeWrap = ({ kind }) => {
      if (kind !== "dek") return;
      throw new KekUnavailableError("test:7", "refused", "it is shut", "Wait");
    };
  }
  await restart(world, NAMES);
  await world.cluster.ready();
  const leader = await world.cluster.leader();
  assert.equal(failed(world, leader).length, 1, `${failed(world, leader)}`);
  assert.deepEqual(active(world, leader), before);
  await write(world, "d");
  for (const name of NAMES) world.kek(name).beforeWrap = () => {};
  await world.cluster.clock.run(65_000);
  assert.deepEqual(rotated(world, leader), ["storage", "raft"]);
  await isServed(world, { keys: "abcd", count: 4 });
  await world.cluster.close();
});

Deno.test("a request to rotate lapses with its process", async () => {
  const world = await sealedWorld();
  const [leader, follower] = await world.roles();
  await restart(world, [follower]);
  await world.cluster.ready();
  const before = active(world, leader);
  await world.cluster.stop(follower);
  await world.cluster.open(follower);
  await world.cluster.ready();
  await world.cluster.clock.run(1_000);
  await lead(world, follower);
  await world.cluster.clock.run(130_000);
  assert.deepEqual(active(world, follower), before);
  await isServed(world, { keys: "abc", count: 3 });
  await world.cluster.close();
});
