/*
 * Goal: a member of an earlier protocol version is sent no entry that it does
 * not know; the others go through a rollout without it, or not at all where
 * every member is asked, and it has all of it once it runs the same release.
 * Method: whole nodes; one of three says that it is of the version before.
 */
import assert from "node:assert/strict";
import type { NodeError } from "../../../../src/base/error.ts";
import { Peers } from "../../../../src/node/peers.ts";
import { PROTOCOL_VERSION } from "../../../../src/transport/port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { ChangesWorld, NAMES, ROTATE } from "./changes_world.ts";

useTurnCrypto();

const ON = { kind: "enable-storage-envelope" } as const;

/** Lets a member of this name say that it runs an earlier release. */
function outdated(name: string): Disposable {
  const { identity } = Peers.prototype;
  Peers.prototype.identity = function (this: Peers) {
    const said = identity.call(this);
    return said.name === name
      ? { ...said, protocolVersion: PROTOCOL_VERSION - 1 }
      : said;
  };
  return { [Symbol.dispose]: () => void (Peers.prototype.identity = identity) };
}

Deno.test("a member of an earlier version gets no entry until it runs the same release", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { cluster } = world;
  const [leader, other, old] = await world.roles();
  await cluster.stop(old);
  const others = [leader, other];
  {
    using _ = outdated(old);
    await cluster.open(old);
    await cluster.clock.run(2_000);
    const before = cluster.node(old).status().applied;
    await assert.rejects(
      cluster.clock.until(world.ask(leader, ON)),
      (error) => (error as NodeError).code === "NODE_CAPABILITY_UNPROVEN",
    );
    // A line of history and a rotation, which do not wait for those that are
    // out of reach.
    await cluster.clock.until(world.ask(leader, ROTATE));
    await cluster.clock.run(2_000);
    const { events } = world.operations(other).rolloutState();
    assert.ok(events.length >= 2);
    assert.equal(cluster.node(old).status().applied, before);
    assert.equal(cluster.place(old).fatal, null);
    await cluster.stop(old);
  }
  await cluster.open(old);
  await cluster.ready(NAMES);
  await world.registered();
  await cluster.clock.until(world.ask(leader, ON));
  await world.registered();
  assert.deepEqual(
    world.operations(old).rolloutState().events,
    world.operations(leader).rolloutState().events,
  );
  assert.ok(others.every((name) => cluster.place(name).fatal === null));
  await cluster.close();
});
