/*
 * Goal: members whose sessions come to an end go on in further ones, those of
 * the last epochs too, and worn keys are rotated before any is used up.
 * Method: whole nodes, sealed in both ways; sessions are made due, and epochs
 * taken, as years of seals and starts would.
 */
import assert from "node:assert/strict";
import {
  EPOCH_MAX,
  EPOCH_WARNING,
  SEALING_PURPOSES,
  type SealingPurpose,
} from "../../../../src/base/data_key.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { ChangesWorld, NAMES } from "./changes_world.ts";

useTurnCrypto();

async function sealedWorld(): Promise<ChangesWorld> {
  const world = await ChangesWorld.bootstrapped();
  await world.done({ kind: "enable-storage-envelope" });
  await world.registered();
  await world.done({ kind: "enable-raft-envelope" }, {
    accept: ["unrewritten"],
  });
  return world;
}

/** As after 2^31 seals: the session of `name` is over; its epoch, 0 for none. */
function endSession(
  world: ChangesWorld,
  name: string,
  purpose: SealingPurpose,
): number {
  const { sessions, encryption } = world.engine(name);
  const keyId = encryption.state.active[purpose];
  const session = sessions?.current(keyId, purpose);
  if (!session) return 0;
  Object.defineProperty(session.nonces, "isDue", { value: true });
  return session.epoch;
}

function activeOf(world: ChangesWorld, name: string, purpose: SealingPurpose) {
  return world.engine(name).encryption.state.active[purpose];
}

/** All have written `keys` so often; they answer so before and after a start. */
async function isHeld(
  world: ChangesWorld,
  expected: { readonly keys: string; readonly count: number },
): Promise<void> {
  const { cluster } = world;
  for (const name of NAMES) {
    assert.deepEqual(await cluster.read(name), expected, name);
    assert.equal(cluster.place(name).fatal, null, name);
  }
  for (const name of NAMES) {
    await cluster.stop(name);
    cluster.place(name).disk.restart("none");
    await cluster.open(name);
    await cluster.ready();
  }
  for (const name of NAMES) {
    assert.deepEqual(await cluster.read(name), expected, name);
  }
}

Deno.test("sessions that end amid writes are followed by others, which all know of", async () => {
  const world = await sealedWorld();
  const { cluster } = world;
  const begun = { storage: new Set<number>(), raft: new Set<number>() };
  const keys = "abcdefghijkl";
  for (const [i, key] of [...keys].entries()) {
    if (i === 6) {
      const leader = await cluster.leader();
      await cluster.clock.until(cluster.node(leader).handOver());
    }
    for (const name of NAMES) {
      for (const purpose of SEALING_PURPOSES) {
        begun[purpose].add(endSession(world, name, purpose));
      }
    }
    await cluster.clock.until(cluster.write(NAMES[i % 3]!, key));
    await cluster.clock.run(200);
  }
  await world.registered();
  assert.ok(begun.storage.size > 8, `${[...begun.storage]}`);
  assert.ok(begun.raft.size > 4, `${[...begun.raft]}`);
  const { encryption } = world.engine("n1");
  const epochs = world.custody("n1").epochs();
  for (const purpose of SEALING_PURPOSES) {
    const keyId = encryption.state.active[purpose];
    const row = [...encryption.state.writers.values()]
      .find((one) => one.keyId === keyId && one.lastEpoch > 8);
    if (purpose === "storage") assert.ok(row !== undefined, "registered");
    assert.ok((epochs.get(keyId) ?? 0) >= 1);
  }
  await isHeld(world, { keys, count: keys.length });
  await cluster.close();
});

for (const epoch of [EPOCH_WARNING, EPOCH_MAX]) {
  for (const purpose of SEALING_PURPOSES) {
    Deno.test(`the ${purpose} key is rotated once a member is at epoch ${epoch}`, async () => {
      const world = await sealedWorld();
      const { cluster } = world;
      await cluster.clock.until(cluster.write("n1", "a"));
      const [leader, follower] = await world.roles();
      const worn = activeOf(world, leader, purpose);
      const other = purpose === "raft" ? "storage" : "raft";
      const untouched = activeOf(world, leader, other);
      for (const name of [leader, follower]) {
        const taken = world.custody(name).nextEpoch(worn, epoch - 1);
        assert.equal(await cluster.clock.until(taken), epoch);
      }
      // They go on sealing, in the last session if need be.
      for (const key of "bc") {
        await cluster.clock.until(cluster.write(follower, key));
      }
      await world.until(() => activeOf(world, leader, purpose) !== worn);
      await world.registered();
      assert.equal(activeOf(world, leader, other), untouched);
      const events = cluster.place(leader).log.named("encryption_key_rotated");
      assert.deepEqual(events.map(({ fields }) => fields["purpose"]), [
        purpose,
      ]);
      await cluster.clock.until(cluster.write(follower, "d"));
      await isHeld(world, { keys: "abcd", count: 4 });
      await cluster.close();
    });
  }
}
