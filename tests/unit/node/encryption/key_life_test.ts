/*
 * Goal: KEKs are replaced and worn keys rotated while the cluster goes on, and
 * a member that cannot take part harms itself alone.
 * Method: whole nodes with real keys through restarts with other KEKs, and rows
 * of sessions that are about to be used up.
 */
import assert from "node:assert/strict";
import {
  EPOCH_MAX,
  EPOCH_WARNING,
  type KeyId,
} from "../../../../src/base/data_key.ts";
import { fullNodeId } from "../../../../src/base/identity.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { openCustody } from "../../../../src/keys/custody.ts";
import { EpochExhaustedError } from "../../../../src/keys/errors.ts";
import { readSidecar } from "../../../../src/keys/sidecar_file.ts";
import type { CapabilityUnprovenError } from "../../../../src/node/encryption/change_errors.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import type { JoinGrant } from "../../../../src/node/begin.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import {
  ChangesWorld,
  gated,
  NAMES,
  REWRAP,
  ROTATE,
  TERMS,
} from "./changes_world.ts";

useTurnCrypto();

Deno.test("a KEK is replaced: new and old, rewrap, new alone", async () => {
  const world = await ChangesWorld.bootstrapped();
  const old = world.kek("n1").id;
  const [next] = (await gated([8])).map(({ id }) => id);
  for (const name of ["n1", "n2"]) await world.regive(name, 8, 7);
  await world.cluster.ready();
  await world.unlead("n3");
  await world.registered();
  // n3 has the old one alone: it would not open what it is about to get.
  const error = await world.refused(
    () => world.done(REWRAP),
    "NODE_CAPABILITY_UNPROVEN",
  );
  const { findings } = error as unknown as CapabilityUnprovenError;
  assert.deepEqual(
    findings.map((one) => `${one.member} ${one.code}`),
    ["n3 kek-unproven"],
  );
  assert.ok(findings[0]!.remedy.includes(next!));
  await world.regive("n3", 8, 7);
  await world.cluster.ready();
  await world.registered();
  await world.unlead("n3");
  assert.ok((await world.done(REWRAP)).isChanged);
  await world.cluster.clock.run(500);
  const active = await world.active("n1", "storage");
  assert.deepEqual(active.keks, [next]);
  for (const name of NAMES) {
    await world.regive(name, 8);
    await world.cluster.ready();
  }
  await world.registered();
  assert.ok((await world.done(ROTATE)).isChanged);
  await world.registered();
  for (const name of NAMES) {
    const { keys, own } = await world.status(name);
    assert.deepEqual(own.gaps, []);
    assert.equal(keys.length, 4);
    for (const { keks } of keys) assert.deepEqual(keks, [next]);
  }
  // And who comes with the old one again does not start.
  await assert.rejects(world.regive("n1", 7), { code: "KEYS_KEK_MISMATCH" });
  assert.notEqual(old, next);
  await world.cluster.stop("n2");
  await world.cluster.stop("n3");
});

/** Tells the registry of sessions of a node that is gone. */
async function register(
  world: ChangesWorld,
  epoch: number,
  ...keyIds: readonly KeyId[]
): Promise<void> {
  const leader = await world.cluster.leader();
  const outcome = world.engine(leader).proposeEncryption(encodeEncryption({
    kind: "registration",
    fullNodeId: fullNodeId("gone"),
    claims: keyIds.map((keyId) => ({ keyId, epoch })),
  }));
  assert.equal((await world.cluster.clock.until(outcome!)).kind, "taken");
}

function events(world: ChangesWorld, event: string) {
  return NAMES.flatMap((name) =>
    world.cluster.place(name).log.named(event).map(({ fields }) => fields)
  );
}

for (const purpose of ["storage", "raft"] as const) {
  Deno.test(`the leader rotates a worn ${purpose} key once, by itself`, async () => {
    const world = await ChangesWorld.bootstrapped();
    const other = purpose === "storage" ? "raft" : "storage";
    const worn = await world.active("n1", purpose);
    const kept = await world.active("n1", other);
    await register(world, EPOCH_WARNING - 1, worn.id);
    await world.cluster.clock.run(70_000);
    assert.equal((await world.active("n1", purpose)).id, worn.id);
    await register(world, EPOCH_WARNING, worn.id);
    await world.cluster.clock.run(150_000);
    const fresh = await world.active("n1", purpose);
    assert.notEqual(fresh.id, worn.id);
    assert.deepEqual(events(world, "encryption_key_rotated"), [
      { purpose, index: fresh.createdIndex },
    ]);
    assert.equal((await world.active("n1", other)).id, kept.id);
    await world.registered();
    await world.cluster.close();
  });
}

Deno.test("a rotation that fails is told, and tried again after a minute", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock } = world.cluster;
  const leader = await world.cluster.leader();
  const worn = await world.active(leader, "storage");
  world.kek(leader).kek.isDown = true;
  await register(world, EPOCH_WARNING, worn.id);
  await clock.run(50_000);
  const purpose = "storage";
  assert.deepEqual(events(world, "encryption_rotation_failed"), [
    { purpose, code: "NODE_ENCRYPTION_GATE_CLOSED" },
  ]);
  world.kek(leader).kek.isDown = false;
  await clock.run(5_000);
  assert.equal((await world.active(leader, "storage")).id, worn.id, "not yet");
  await clock.run(20_000);
  assert.notEqual((await world.active(leader, "storage")).id, worn.id);
  assert.equal(events(world, "encryption_key_rotated").length, 1);
  await world.registered();
  await world.cluster.close();
});

/** Lets `name`, stopped, have used up its epochs of a key up to `epoch`. */
async function wear(
  world: ChangesWorld,
  name: string,
  { keyId, epoch }: { readonly keyId: KeyId; readonly epoch: number },
): Promise<void> {
  const { disk } = world.cluster.place(name);
  const dir = "/data/encryption";
  const custody = await openCustody({
    ...{ disk, dir, node: name, random: new SimRandom(3), isEnabled: true },
    keks: world.keks.get(name)!,
    sidecar: await readSidecar(disk, dir),
  });
  await custody.nextEpoch(keyId, epoch - 1);
}

Deno.test("a member whose sessions run out says so, and the leader gives it another key", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { cluster } = world;
  const [, name] = await world.roles();
  const worn = await world.active(name, "raft");
  await cluster.stop(name);
  await wear(world, name, { keyId: worn.id, epoch: EPOCH_WARNING - 1 });
  await cluster.open(name);
  await cluster.ready();
  const told = cluster.place(name).log.named("encryption_epoch_high");
  assert.deepEqual(told.map(({ fields }) => fields), [
    { purpose: "raft", key: worn.id, epoch: EPOCH_WARNING },
  ]);
  await cluster.clock.run(5_000);
  const fresh = await world.active(name, "raft");
  assert.notEqual(fresh.id, worn.id);
  await world.registered();
  const own = (await world.active(name, "raft")).writers
    .find(({ member }) => member === name)!;
  assert.equal(own.lastEpoch, 1);
  await cluster.close();
});

Deno.test("a member without an epoch left does not start", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { cluster } = world;
  const [, name, other] = await world.roles();
  const worn = await world.active(name, "storage");
  await cluster.stop(name);
  await wear(world, name, { keyId: worn.id, epoch: EPOCH_MAX });
  await assert.rejects(cluster.open(name), EpochExhaustedError);
  const reply = await cluster.clock.until(cluster.write(other, "a"));
  assert.equal(reply.kind, "committed");
  for (const one of NAMES) if (one !== name) await cluster.stop(one);
});

for (
  const [what, isOff, bytes] of [
    ["without a KEK", true, []],
    ["with another KEK", false, [8]],
  ] as const
) {
  Deno.test(`a learner ${what} is made no voter, and harms nobody`, async () => {
    const world = await ChangesWorld.bootstrapped();
    const { cluster } = world;
    const { clock } = cluster;
    const leader = await cluster.leader();
    const { changes } = world.engine(leader);
    const add = { kind: "add", name: "n4", peerAddress: "n4:1" } as const;
    await clock.until(changes.change({ ...add, promote: true }, TERMS));
    const { clusterId, members } = cluster.node(leader).status();
    const grant: JoinGrant = {
      clusterId: clusterId!,
      id: members.find((member) => member.name === "n4")!.id,
      members: members.map((member) => ({
        ...member,
        diskId: null,
        protocolVersion: 0,
        promoteWhenCaughtUp: false,
      })),
    };
    world.keks.set("n4", await gated(bytes));
    if (isOff) world.off.add("n4");
    const join = () => Promise.resolve(grant);
    await cluster.open("n4", { initialCluster: null, join });
    await world.until(() => cluster.place("n4").fatal !== null);
    assert.ok(cluster.place("n4").fatal instanceof EncryptionHaltedError);
    await cluster.stop("n4");
    await clock.run(10_000);
    const { members: now } = cluster.node(leader).status();
    assert.equal(now.find((member) => member.name === "n4")!.isVoter, false);
    await assert.rejects(
      clock.until(changes.change({ kind: "promote", name: "n4" }, TERMS)),
      { code: "NODE_MEMBER_BEHIND" },
    );
    // A key goes to all others meanwhile.
    const { unreachable } = await world.done(ROTATE);
    assert.deepEqual(unreachable, ["n4"]);
    for (const name of NAMES) {
      assert.equal(cluster.place(name).fatal, null);
      const reply = await clock.until(cluster.write(name, name));
      assert.equal(reply.kind, "committed");
    }
    for (const name of NAMES) await cluster.stop(name);
  });
}

Deno.test("a member that nobody has seen yet keeps the first keys from the cluster", async () => {
  const world = await ChangesWorld.start();
  const leader = await world.cluster.leader();
  const { clock } = world.cluster;
  const { changes } = world.engine(leader);
  const add = { kind: "add", name: "n4", peerAddress: "n4:1" } as const;
  await clock.until(changes.change({ ...add, promote: false }, TERMS));
  // Of what version it is, it has yet to say.
  const error = await world.refused(
    () => world.done({ kind: "bootstrap" }),
    "NODE_CAPABILITY_UNPROVEN",
  );
  const { findings } = error as unknown as CapabilityUnprovenError;
  assert.deepEqual(
    findings.map((one) => `${one.member} ${one.code}`),
    ["n4 unreachable"],
  );
  await world.cluster.close();
});
