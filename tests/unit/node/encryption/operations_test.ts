import assert from "node:assert/strict";
import { fullNodeId } from "../../../../src/base/identity.ts";
import { decodeEncryptionState } from "../../../../src/fsm/encryption_codec.ts";
import type { SimClock } from "../../../sim/io/clock.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { BOOTSTRAP, ChangesWorld, NAMES } from "./changes_world.ts";

useTurnCrypto();

const TOPIC_ASK = 1;
const TOPIC_ANSWER = 2;
/** First byte of the packets that have a topic. */
const EXTRA = 4;

async function passed(clock: SimClock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => void clock.after(ms, resolve));
}

Deno.test("packets that are no questions or answers are dropped", async () => {
  const world = await ChangesWorld.start();
  const { clock } = world.cluster;
  const [leader, other] = await world.roles();
  const { id } = world.engine(leader).peers.identity();
  for (const topic of [TOPIC_ASK, TOPIC_ANSWER, 77]) {
    for (const length of [0, 1, 41, 400]) {
      const body = new Uint8Array(length).fill(255);
      assert.ok(world.engine(other).extraPackets.send(id, topic, body));
    }
  }
  await clock.run(100);
  assert.equal(world.cluster.place(leader).fatal, null);
  assert.ok((await world.done(BOOTSTRAP)).isChanged);
  await world.registered();
  await world.cluster.close();
});

Deno.test("a member that fails to answer says so, and counts as silent", async () => {
  const world = await ChangesWorld.start();
  const [leader, other] = await world.roles();
  world.kek(other).beforeUnwrap = () => {
    throw new TypeError("odd");
  };
  const { clock } = world.cluster;
  const findings = await clock.until(
    world.operations(leader).askCapabilities(),
  );
  assert.deepEqual(
    findings.map(({ member, code }) => [member, code]),
    NAMES.map((name) => [name, name === other ? "unreachable" : ""]),
  );
  const { log } = world.cluster.place(other);
  const events = log.named("encryption_capability_unanswered");
  // Each time that it is asked.
  assert.ok(events.length > 1);
  for (const { fields } of events) assert.deepEqual(fields, { reason: "odd" });
  await world.cluster.close();
});

for (const lost of ["the question", "the answer"] as const) {
  Deno.test(`a member whose link goes before ${lost} is there, and comes back, proves`, async () => {
    const world = await ChangesWorld.start();
    const { clock, network } = world.cluster;
    const [leader, other] = await world.roles();
    if (lost === "the answer") {
      world.kek(other).beforeUnwrap = async () => {
        world.kek(other).beforeUnwrap = () => {};
        network.cut(leader, other);
        await passed(clock, 5);
        clock.after(5, () => network.heal());
      };
    }
    const asked = world.operations(leader).askCapabilities();
    if (lost === "the question") {
      const topic = [EXTRA, TOPIC_ASK];
      network.loses = (packet) => {
        if (topic.some((byte, i) => packet[i] !== byte)) return false;
        network.loses = () => false;
        network.cut(leader, other);
        clock.after(5, () => network.heal());
        return true;
      };
    }
    const findings = await clock.until(asked);
    assert.deepEqual(findings.map(({ code }) => code), ["", "", ""]);
    await world.cluster.close();
  });
}

Deno.test("a member that takes its time does the work of a question once", async () => {
  const world = await ChangesWorld.start();
  const { clock } = world.cluster;
  const [leader, other] = await world.roles();
  let opened = 0;
  world.kek(other).beforeUnwrap = async () => {
    opened += 1;
    await passed(clock, 1_800);
  };
  const findings = await clock.until(
    world.operations(leader).askCapabilities(),
  );
  assert.deepEqual(findings.map(({ code }) => code), ["", "", ""]);
  assert.equal(opened, 1);
  await world.cluster.close();
});

Deno.test("askCapabilities() is the leader's, and wants what a change wants", async () => {
  const world = await ChangesWorld.start();
  const { clock } = world.cluster;
  const [leader, other] = await world.roles();
  await assert.rejects(
    clock.until(world.operations(other).askCapabilities()),
    { code: "NODE_NOT_LEADER", leader },
  );
  world.kek(leader).kek.isDown = true;
  await assert.rejects(
    clock.until(world.operations(leader).askCapabilities()),
    { code: "NODE_ENCRYPTION_GATE_CLOSED" },
  );
  world.kek(leader).kek.isDown = false;
  await world.cluster.close();
});

Deno.test("exportEncryptionState() gives the applied state away, whole", async () => {
  const world = await ChangesWorld.bootstrapped();
  for (const name of NAMES) {
    const { clusterId, applied, state } = world.operations(name)
      .exportEncryptionState();
    const node = world.cluster.node(name);
    assert.deepEqual(clusterId, node.clusterId());
    assert.equal(applied, node.status().applied);
    const expected = world.engine(name).encryption.state;
    assert.deepEqual(decodeEncryptionState(state), expected);
  }
  await world.cluster.close();
});

Deno.test("encryptionStatus() and metrics tell what a node has", async () => {
  const world = await ChangesWorld.start();
  const before = await world.status("n1");
  assert.deepEqual(
    [before.node, before.phase, before.keys, before.stateIndex],
    ["n1", 0, [], 0],
  );
  const { index } = await world.done(BOOTSTRAP);
  await world.registered();
  const status = await world.status("n1");
  const kek = world.kek("n1").id;
  assert.equal(status.stateIndex, index);
  assert.deepEqual(status.retired, []);
  assert.equal(status.own.isEnabled, true);
  assert.deepEqual(status.own.gaps, []);
  assert.deepEqual(status.own.kekIds, [kek]);
  assert.equal(status.own.sidecarIndex, index);
  assert.deepEqual(status.own.epochs.map(({ epoch }) => epoch), [1, 1, 1]);
  const ids = status.keys.map(({ id }) => id);
  assert.deepEqual(status.own.epochs.map(({ keyId }) => keyId), ids);
  for (const { purpose, isActive, keks, writers } of status.keys) {
    assert.equal(isActive, purpose !== "state");
    assert.deepEqual(keks, [kek]);
    const members = writers.map(({ member }) => member).sort();
    assert.deepEqual(members, purpose === "state" ? [] : NAMES);
    for (const { member, fullNodeId: full, lastEpoch } of writers) {
      assert.deepEqual([full, lastEpoch], [fullNodeId(member), 1]);
    }
  }
  const metrics = world.operations("n1").metrics();
  assert.equal(metrics.state().stateIndex, index);
  assert.deepEqual([...metrics.epochs().keys()].sort(), ids.toSorted());
  assert.equal(metrics.openFailures().size, 0);
  world.kek("n1").kek.isDown = true;
  const { own } = await world.status("n1");
  assert.match(own.gaps.join(), /^no KEK of this node works/);
  await world.cluster.close();
});
