import assert from "node:assert/strict";
import { EPOCH_WARNING } from "../../../../src/base/data_key.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { fullNodeId, node16Of } from "../../../../src/base/identity.ts";
import {
  EncryptionHaltedError,
  EpochRollbackError,
  NodeIdCollisionError,
} from "../../../../src/node/encryption/errors.ts";
import { decodePacket } from "../../../../src/node/packet.ts";
import { BOOTSTRAP, RAFT, rotation, STATE, STORAGE } from "./changes.ts";
import { EncryptedCluster } from "./encrypted_cluster.ts";
import { rebuildMember } from "./rebuild_member.ts";
import { CustodyFailure } from "./fake_custody.ts";

const NAMES = ["n1", "n2", "n3"];
/** Lets entries go soon: who is new gets a checkpoint then. */
const SMALL_LOG = {
  segmentBytes: 4_096,
  compactAfterBytes: 4_096,
  trailingEntries: 5,
};

/** A cluster with keys that all of `names` are registered under. */
async function bootstrapped(
  names: readonly string[] = NAMES,
): Promise<EncryptedCluster> {
  const world = await EncryptedCluster.start(names, SMALL_LOG);
  const outcome = await world.propose(BOOTSTRAP);
  assert.equal(outcome.kind, "taken");
  await world.until(() => areRegistered(world, names));
  return world;
}

function areRegistered(
  world: EncryptedCluster,
  names: readonly string[],
): boolean {
  return names.every((at) =>
    names.every((node) =>
      world.registered(at, node, [STORAGE, RAFT]).every((epoch) => epoch > 0)
    )
  );
}

Deno.test("Nodes take over the first keys and register their sessions", async () => {
  const world = await bootstrapped();
  for (const at of NAMES) {
    for (const node of NAMES) {
      assert.deepEqual(world.registered(at, node, [STORAGE, RAFT]), [1, 1]);
    }
    const epochs = [...world.custody(at).epochs()];
    assert.deepEqual(epochs, [[STORAGE, 1], [RAFT, 1], [STATE, 1]]);
  }
  const reply = await world.cluster.clock.until(world.cluster.write("n2", "a"));
  assert.equal(reply.kind, "committed");
  await world.cluster.close();
});

Deno.test("Nodes register under a new key while they go on", async () => {
  const world = await bootstrapped();
  for (const name of NAMES) assert.ok(world.cluster.node(name).status().ready);
  await world.propose(rotation(44));
  for (const name of NAMES) assert.ok(world.cluster.node(name).status().ready);
  await world.until(() =>
    NAMES.every((node) => world.registered("n1", node, [44])[0] === 1)
  );
  await world.cluster.close();
});

function isForward(packet: Uint8Array): boolean {
  return decodePacket(packet)?.kind === "forward";
}

async function follower(world: EncryptedCluster): Promise<string> {
  const leader = await world.cluster.leader();
  return NAMES.find((name) => name !== leader)!;
}

Deno.test("A start waits until the cluster knows its sessions, and client writes do too", async () => {
  const world = await bootstrapped();
  const { cluster } = world;
  const name = await follower(world);
  await cluster.stop(name);
  cluster.network.loses = isForward;
  await cluster.open(name);
  const write = cluster.write(name, "a");
  await cluster.clock.run(5_000);
  assert.equal(cluster.node(name).status().ready, false);
  assert.deepEqual(await cluster.read(name), { keys: "", count: 0 });
  assert.deepEqual(world.registered(name, name, [STORAGE, RAFT]), [1, 1]);
  cluster.network.loses = () => false;
  await cluster.ready();
  assert.deepEqual(world.registered(name, name, [STORAGE, RAFT]), [2, 2]);
  assert.equal((await cluster.clock.until(write)).kind, "committed");
  await cluster.close();
});

Deno.test("A lone node registers at each start before it takes writes", async () => {
  const world = await bootstrapped(["n1"]);
  const { cluster } = world;
  for (const epoch of [2, 3]) {
    await cluster.stop("n1");
    await cluster.open("n1");
    const reply = await cluster.clock.until(cluster.write("n1", `${epoch}`));
    assert.equal(reply.kind, "committed");
    assert.deepEqual(world.registered("n1", "n1", [STORAGE, RAFT]), [
      epoch,
      epoch,
    ]);
  }
  await cluster.close();
});

Deno.test("A node that an old sidecar was given is found out by its own store", async () => {
  const world = await bootstrapped(["n1"]);
  const { cluster } = world;
  const old = world.custody("n1").sidecar;
  for (let start = 0; start < 2; start += 1) {
    await cluster.stop("n1");
    await cluster.open("n1");
    await cluster.ready();
  }
  await cluster.stop("n1");
  world.custody("n1").sidecar = old;
  await cluster.open("n1");
  const { fatal } = cluster.place("n1");
  assert.ok(fatal instanceof EpochRollbackError);
  assert.deepEqual(fatal.finding, { keyId: STORAGE, epoch: 2, registered: 3 });
  await cluster.stop("n1");
});

Deno.test("A data dir that was put back is shut out by the others", async () => {
  const world = await bootstrapped();
  const { cluster } = world;
  const name = await follower(world);
  await cluster.stop(name);
  const image = cluster.copy(name);
  const { sidecar } = world.custody(name);
  for (let start = 0; start < 2; start += 1) {
    await cluster.open(name);
    await cluster.ready();
    await cluster.stop(name);
  }
  cluster.putBack(image);
  world.custody(name).sidecar = sidecar;
  await cluster.open(name);
  await cluster.clock.run(3_000);
  const { fatal } = cluster.place(name);
  assert.ok(fatal instanceof EpochRollbackError);
  assert.equal(fatal.finding, null, "the others know");
  await cluster.stop(name);
  const others = NAMES.filter((one) => one !== name);
  for (const other of others) assert.equal(cluster.place(other).fatal, null);
  await cluster.stop(others[0]!);
  await cluster.stop(others[1]!);
});

Deno.test("A node that another one's nonces collide with stops", async () => {
  const [a, b] = collidingNames();
  const world = await EncryptedCluster.start([a, b, "n3"]);
  const { cluster } = world;
  await world.propose(BOOTSTRAP);
  await world.until(() => [a, b].some((one) => cluster.place(one).fatal));
  await cluster.clock.run(3_000);
  const stopped = [a, b].filter((one) => cluster.place(one).fatal !== null);
  assert.equal(stopped.length, 1, "the one that came first goes on");
  const [late] = stopped as [string];
  const { fatal } = cluster.place(late);
  assert.ok(fatal instanceof NodeIdCollisionError);
  assert.equal(fatal.other, fullNodeId(late === a ? b : a));
  for (const name of [a, b, "n3"]) await cluster.stop(name);
});

/** Two names whose low 16 bits are the same. */
function collidingNames(): readonly [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0;; i += 1) {
    const name = `m${i}`;
    const node16 = node16Of(fullNodeId(name));
    const other = seen.get(node16);
    if (other !== undefined) return [other, name];
    seen.set(node16, name);
  }
}

Deno.test("A member whose KEK provider is silent is not ready, and the others go on", async () => {
  const world = await EncryptedCluster.start(NAMES);
  const { cluster } = world;
  const name = await follower(world);
  const custody = world.custody(name);
  custody.beforeAbsorb = () =>
    Promise.reject(new CustodyFailure("KEYS_KEK_UNAVAILABLE"));
  await world.propose(BOOTSTRAP);
  const others = NAMES.filter((one) => one !== name);
  await cluster.clock.run(3_000);
  assert.equal(cluster.node(name).status().ready, false);
  assert.deepEqual(world.state(name).keys.size, 0);
  const reply = await cluster.clock.until(cluster.write(others[0]!, "a"));
  assert.equal(reply.kind, "committed");
  custody.beforeAbsorb = () => {};
  await cluster.ready();
  await world.until(() => areRegistered(world, NAMES));
  await cluster.close();
});

Deno.test("A member that cannot open the first keys halts, and goes on once it can", async () => {
  const world = await EncryptedCluster.start(NAMES);
  const { cluster } = world;
  const name = await follower(world);
  const cause = new CustodyFailure("KEYS_KEK_MISMATCH");
  world.custody(name).beforeAbsorb = () => Promise.reject(cause);
  await world.propose(BOOTSTRAP);
  await world.until(() => cluster.place(name).fatal !== null);
  const { fatal } = cluster.place(name);
  assert.ok(fatal instanceof EncryptionHaltedError);
  assert.equal(fatal.cause, cause);
  await cluster.stop(name);
  await cluster.open(name);
  await cluster.ready();
  await world.until(() => areRegistered(world, NAMES));
  assert.equal(world.custody(name).epochs().get(STORAGE), 1);
  await cluster.close();
});

Deno.test("proposeEncryption() answers with what became of it", async () => {
  const world = await bootstrapped();
  const { cluster } = world;
  const refused = await world.propose(BOOTSTRAP);
  assert.ok(refused.kind === "refused");
  assert.equal(refused.refusal.code, "already-bootstrapped");
  const name = await follower(world);
  const payload = encodeEncryption(rotation(44));
  assert.equal(world.engine(name).proposeEncryption(payload), null);
  // A leader alone keeps it in its log, until the next one's log replaces it.
  const leader = await cluster.leader();
  cluster.network.isolate(leader);
  const lost = world.engine(leader).proposeEncryption(payload);
  assert.ok(lost !== null);
  const others = NAMES.filter((one) => one !== leader);
  await cluster.clock.run(2_000);
  await world.propose(rotation(55), others);
  cluster.network.heal();
  assert.deepEqual(await cluster.clock.until(lost), { kind: "lost" });
  assert.equal(world.state(leader).active.storage, 55);
  // One that ends does not know.
  await cluster.leader();
  const last = await cluster.leader();
  cluster.network.isolate(last);
  const open = world.engine(last).proposeEncryption(
    encodeEncryption(rotation(66, 55)),
  );
  await cluster.stop(last);
  assert.deepEqual(await open, { kind: "unknown" });
  cluster.network.heal();
  for (const name of NAMES) await cluster.stop(name);
});

Deno.test("A start says that a key's sessions run out", async () => {
  const world = await bootstrapped(["n1"]);
  const { cluster } = world;
  await cluster.stop("n1");
  const { index, epochs } = world.custody("n1").sidecar;
  world.custody("n1").sidecar = {
    index,
    epochs: new Map(epochs).set(RAFT, EPOCH_WARNING - 1),
  };
  await cluster.open("n1");
  await cluster.ready();
  const events = cluster.place("n1").log.named("encryption_epoch_high");
  assert.deepEqual(events.map(({ fields }) => fields), [
    { purpose: "raft", key: RAFT, epoch: EPOCH_WARNING },
  ]);
  await cluster.close();
});

Deno.test("Packets of a topic reach its handler", async () => {
  const world = await EncryptedCluster.start(["n1", "n2"]);
  const { cluster } = world;
  const heard: string[] = [];
  const { extraPackets } = world.engine("n2");
  extraPackets.on(9, (from, body) => heard.push(`${from} ${body.join()}`));
  const { extraPackets: sender } = world.engine("n1");
  assert.equal(sender.send(2, 9, Uint8Array.of(1, 2)), true);
  assert.equal(sender.send(2, 8, Uint8Array.of(3)), true, "nobody listens");
  assert.equal(sender.send(7, 9, Uint8Array.of(4)), false);
  await cluster.clock.run(10);
  assert.deepEqual(heard, ["1 1,2"]);
  await cluster.close();
});

/** As `rebuildMember`, its sidecar gone too. */
async function rebuild(world: EncryptedCluster, name: string): Promise<void> {
  world.forget(name);
  await rebuildMember(world.cluster, name);
}

/** Restarts `name` until the cluster knows it under `epoch`. */
async function restartUntil(
  { cluster }: EncryptedCluster,
  name: string,
  epoch: number,
): Promise<void> {
  for (let i = 1; i < epoch; i += 1) {
    await cluster.stop(name);
    await cluster.open(name);
    await cluster.ready();
  }
}

Deno.test("A rebuilt member counts on from what its name registered before", async () => {
  const world = await bootstrapped();
  const { cluster } = world;
  const name = await follower(world);
  await restartUntil(world, name, 4);
  assert.deepEqual(world.registered(name, name, [STORAGE, RAFT]), [4, 4]);
  await rebuild(world, name);
  await cluster.ready();
  await world.until(() => world.registered(name, name, [STORAGE])[0] === 5);
  assert.deepEqual(world.registered("n1", name, [STORAGE, RAFT]), [5, 5]);
  const reply = await cluster.clock.until(cluster.write(name, "a"));
  assert.equal(reply.kind, "committed");
  await cluster.close();
});

Deno.test("A member restored from a checkpoint has the keys, and goes on from there", async () => {
  const world = await bootstrapped();
  const { cluster } = world;
  const name = await follower(world);
  await restartUntil(world, name, 3);
  const replaced = await fill(world);
  await rebuild(world, name);
  await cluster.ready();
  const events = cluster.place(name).log.named("store_replaced");
  assert.equal(events.length, 1, "it came by checkpoint");
  assert.ok(replaced > 0);
  await world.until(() => world.registered(name, name, [STORAGE])[0] === 4);
  assert.deepEqual(
    [...world.custody(name).epochs()].map(([id, epoch]) => [id, epoch]),
    [[STORAGE, 4], [RAFT, 4], [STATE, 1]],
  );
  await world.propose(rotation(44));
  await world.until(() => world.state(name).active.storage === 44);
  await world.until(() => world.registered("n1", name, [44])[0] === 1);
  // And it is found right by a start.
  await cluster.stop(name);
  await cluster.open(name);
  await cluster.ready();
  assert.deepEqual(world.registered(name, name, [44]), [2]);
  await cluster.close();
});

Deno.test("A member that cannot open the keys of a checkpoint keeps its store", async () => {
  const world = await bootstrapped();
  const { cluster } = world;
  const name = await follower(world);
  await fill(world);
  const cause = new CustodyFailure("KEYS_KEK_MISMATCH");
  world.failsFirst.set(name, () => Promise.reject(cause));
  await rebuild(world, name);
  await world.until(() => cluster.place(name).fatal !== null);
  const { fatal, log } = cluster.place(name);
  assert.ok(fatal instanceof EncryptionHaltedError);
  assert.equal(fatal.cause, cause);
  assert.equal(log.named("store_replaced").length, 0);
  assert.equal(world.engine(name).encryption.state.stateIndex, 0);
  await cluster.stop(name);
  world.failsFirst.clear();
  await cluster.open(name);
  await cluster.ready();
  await world.until(() => world.registered(name, name, [STORAGE])[0]! > 0);
  await cluster.close();
});

/** Writes until all members have let the start of their log go. */
async function fill({ cluster }: EncryptedCluster): Promise<number> {
  for (let i = 0; i < 60; i += 1) {
    await cluster.clock.until(cluster.write("n1", `w${i}`));
  }
  await cluster.clock.run(2_000);
  return cluster.node("n1").status().applied;
}
