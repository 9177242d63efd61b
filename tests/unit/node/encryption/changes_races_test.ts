/*
 * Goal: a change of encryption that something gets in the way of, at any of its
 * steps, changes nothing, or does not claim to.
 * Method: KEKs hold the leader up where it waits; meanwhile leaders change,
 * members come and go, and others ask for changes.
 */
import assert from "node:assert/strict";
import { WrapRejectedError } from "../../../../src/keys/kek_errors.ts";
import type { WrapContext } from "../../../../src/keys/port.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import {
  BOOTSTRAP,
  ChangesWorld,
  Gate,
  gated,
  NAMES,
  ROTATE,
  TERMS,
} from "./changes_world.ts";

useTurnCrypto();

const ADD = {
  kind: "add",
  name: "n9",
  peerAddress: "n9:1",
  promote: false,
} as const;

/** Where a leader is held up: as it tries its KEKs, asks members, draws a key. */
const STEPS = ["probe", "challenge", "dek"] as const;
type Step = (typeof STEPS)[number];

function stepOf(context: WrapContext): Step {
  if (context.kind === "dek") return "dek";
  return context.term === 0 ? "probe" : "challenge";
}

/** Holds `name` up at the next wrap of that kind. */
function hold(world: ChangesWorld, name: string, step: Step): Gate {
  const gate = new Gate();
  world.kek(name).beforeWrap = (context) =>
    stepOf(context) === step ? gate.pass() : undefined;
  return gate;
}

for (const step of STEPS) {
  Deno.test(`a leader that loses its leadership at the ${step} proposes nothing`, async () => {
    const world = await ChangesWorld.bootstrapped();
    const { clock } = world.cluster;
    const [leader] = await world.roles();
    const gate = hold(world, leader, step);
    const before = world.states();
    const change = world.ask(leader, ROTATE);
    await clock.until(gate.reached);
    await clock.until(world.cluster.node(leader).handOver());
    const next = await world.cluster.leader();
    gate.letGo();
    await assert.rejects(clock.until(change), {
      code: "NODE_NOT_LEADER",
      leader: next,
    });
    await world.unchangedFrom(before);
    assert.ok((await world.done(ROTATE)).isChanged);
    await world.registered();
    await world.cluster.close();
  });

  // Before it asks anybody it may as well begin in the later term.
  if (step === "probe") continue;
  Deno.test(`a leader that leads again after the ${step} proposes nothing`, async () => {
    const world = await ChangesWorld.bootstrapped();
    const { clock, network } = world.cluster;
    const [leader, other, third] = await world.roles();
    const gate = hold(world, leader, step);
    const before = world.states();
    const { term } = world.cluster.node(leader).status();
    const change = world.ask(leader, ROTATE);
    await clock.until(gate.reached);
    await clock.until(world.cluster.node(leader).handOver());
    // Only the earlier leader is there to take it back.
    const next = await world.cluster.leader();
    network.cut(next, next === other ? third : other);
    await clock.until(world.cluster.node(next).handOver());
    await world.until(async () => await world.cluster.leader() === leader);
    gate.letGo();
    await assert.rejects(clock.until(change), { code: "NODE_NOT_LEADER" });
    assert.ok(world.cluster.node(leader).status().term > term);
    network.heal();
    await world.unchangedFrom(before);
    await world.cluster.close();
  });
}

/** A rotation that is in the leader's log alone. */
async function stranded(world: ChangesWorld, leader: string) {
  const { clock, network } = world.cluster;
  const gate = hold(world, leader, "dek");
  const change = world.ask(leader, ROTATE);
  await clock.until(gate.reached);
  network.isolate(leader);
  gate.letGo();
  await clock.run(10);
  return { change };
}

Deno.test("a change whose entry is replaced by others' has not taken place", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock, network } = world.cluster;
  const [leader, ...others] = await world.roles();
  const before = world.states();
  const { change } = await stranded(world, leader);
  await clock.run(2_000);
  const next = await world.cluster.leader(others);
  await clock.until(world.cluster.write(next, "a"));
  network.heal();
  await assert.rejects(clock.until(change), {
    code: "NODE_NOT_LEADER",
    leader: next,
  });
  await world.unchangedFrom(before);
  await world.cluster.close();
});

Deno.test("a change that nobody can tell of in time is not known", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock, network } = world.cluster;
  const [leader] = await world.roles();
  const before = world.states();
  const { change } = await stranded(world, leader);
  const began = clock.monotonicMs();
  await assert.rejects(clock.until(change), { code: "NODE_OUTCOME_UNKNOWN" });
  assert.ok(clock.monotonicMs() - began >= 9_000);
  network.heal();
  await world.unchangedFrom(before);
  await world.cluster.close();
});

Deno.test("a change whose node stops is not known, and later ones do not begin", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock, network } = world.cluster;
  const [leader] = await world.roles();
  const { change } = await stranded(world, leader);
  await world.cluster.stop(leader);
  await assert.rejects(clock.until(change), { code: "NODE_OUTCOME_UNKNOWN" });
  await assert.rejects(
    clock.until(world.ask(leader, BOOTSTRAP)),
    { code: "NODE_NOT_READY" },
  );
  network.heal();
  for (const name of NAMES) await world.cluster.stop(name);
});

for (const step of STEPS) {
  Deno.test(`a lone node that stops at the ${step} proposes nothing`, async () => {
    const world = await ChangesWorld.bootstrapped({ names: ["n1"] });
    const { clock } = world.cluster;
    const gate = hold(world, "n1", step);
    const change = world.ask("n1", ROTATE);
    await clock.until(gate.reached);
    await world.cluster.stop("n1");
    const beganMs = clock.monotonicMs();
    gate.letGo();
    await assert.rejects(clock.until(change), { code: "NODE_NOT_READY" });
    assert.equal(clock.monotonicMs(), beganMs, "at once");
  });
}

Deno.test("a change is refused while one of the members is made", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock, network } = world.cluster;
  const [leader] = await world.roles();
  network.isolate(leader);
  const before = await world.status(leader);
  const add = world.engine(leader).changes.change(ADD, TERMS);
  add.catch(() => {});
  await assert.rejects(clock.until(world.ask(leader, ROTATE)), {
    code: "NODE_CHANGE_UNDER_WAY",
    underWay: "a change of the members",
  });
  network.heal();
  await assert.doesNotReject(clock.until(add));
  await world.cluster.clock.run(1_000);
  const after = await world.status(leader);
  assert.equal(after.stateIndex, before.stateIndex, "but for rows of n9");
  assert.ok(
    (await world.done(ROTATE)).isChanged,
    "n9 is down: that is no reason",
  );
  await world.cluster.close();
});

function coreOf(world: ChangesWorld, name: string) {
  const { members, term } = world.cluster.node(name).status();
  const own = members.find((member) => member.name === name)!;
  return { lead: own.role, term };
}

Deno.test("a new leader that has yet to apply its first entry is not ready", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock, network } = world.cluster;
  const [leader, other, third] = await world.roles();
  network.cut(leader, third);
  network.cut(other, third);
  void world.engine(leader).changes.handOver();
  for (let ms = 0; ms < 500; ms += 1) {
    if (coreOf(world, other).lead === "leader") break;
    await clock.run(1);
  }
  // Nothing of the new term is committed while it is alone.
  network.isolate(other);
  const change = world.ask(other, ROTATE);
  await assert.rejects(clock.until(change), { code: "NODE_NOT_READY" });
  network.heal();
  await clock.run(2_000);
  assert.ok((await world.done(ROTATE)).isChanged);
  await world.registered();
  await world.cluster.close();
});

Deno.test("one change is made at a time, of whatever kind", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock } = world.cluster;
  const [leader] = await world.roles();
  const gate = hold(world, leader, "dek");
  const first = world.ask(leader, ROTATE);
  await clock.until(gate.reached);
  await assert.rejects(clock.until(world.ask(leader, ROTATE)), {
    code: "NODE_CHANGE_UNDER_WAY",
    underWay: "rotate-dek",
  });
  const dry = await clock.until(world.ask(leader, ROTATE, { dryRun: true }));
  assert.equal(dry.isChanged, false, "plans are made all the same");
  const again = await clock.until(world.ask(leader, BOOTSTRAP));
  assert.equal(again.isChanged, false);
  const { changes } = world.engine(leader);
  await assert.rejects(changes.change(ADD, TERMS), {
    code: "NODE_CHANGE_UNDER_WAY",
    underWay: "rotate-dek",
  });
  // The lines of history that these left.
  await clock.run(300);
  const applied = world.cluster.node(leader).status().commit;
  changes.promoteCaughtUp();
  await clock.run(300);
  assert.equal(world.cluster.node(leader).status().commit, applied);
  gate.letGo();
  assert.ok((await clock.until(first)).isChanged);
  await clock.until(changes.change(ADD, TERMS));
  await world.registered(NAMES);
  await world.cluster.close();
});

Deno.test("no learner is made a voter while a change holds the lock", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock } = world.cluster;
  const [leader] = await world.roles();
  const { changes } = world.engine(leader);
  const promote = { ...ADD, name: "n4", peerAddress: "n4:1", promote: true };
  await clock.until(changes.change(promote, TERMS));
  const gate = hold(world, leader, "dek");
  const change = world.ask(leader, ROTATE);
  await clock.until(gate.reached);
  world.keks.set("n4", await gated());
  await join(world, leader, "n4");
  await clock.run(3_000);
  const voters = () =>
    world.cluster.node(leader).status().members
      .filter(({ isVoter }) => isVoter).length;
  assert.equal(voters(), 3);
  gate.letGo();
  assert.ok((await clock.until(change)).isChanged);
  // It has proven, and takes no lock.
  await world.until(() => voters() === 4);
  assert.ok((await world.done(ROTATE)).isChanged);
  await world.registered();
  await world.cluster.close();
});

/** Starts the added member `name`. */
async function join(
  world: ChangesWorld,
  leader: string,
  name: string,
): Promise<void> {
  const { clusterId, members } = world.cluster.node(leader).status();
  const own = members.find((member) => member.name === name)!;
  const grant = {
    clusterId: clusterId!,
    id: own.id,
    members: members.map((member) => ({
      ...member,
      diskId: null,
      protocolVersion: 0,
      promoteWhenCaughtUp: false,
    })),
  };
  await world.cluster.open(name, {
    initialCluster: null,
    join: () => Promise.resolve(grant),
  });
}

Deno.test("a member that got another KEK after its proof halts alone, and goes on with the right one", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { clock } = world.cluster;
  const [leader, late, other] = await world.roles();
  const gate = hold(world, leader, "dek");
  const change = world.ask(leader, ROTATE);
  await clock.until(gate.reached);
  await world.regive(late, 7);
  // From here on it is as if the provider had another key of that name.
  const kek = world.kek(late);
  kek.beforeUnwrap = () => {
    throw new WrapRejectedError(kek.id);
  };
  gate.letGo();
  const result = await clock.until(change);
  assert.deepEqual([result.isChanged, result.unreachable], [true, []]);
  await world.until(() => world.cluster.place(late).fatal !== null);
  for (const name of [leader, other]) {
    assert.equal(world.cluster.place(name).fatal, null);
  }
  await clock.until(world.cluster.write(other, "a"));
  await world.regive(late, 7);
  await world.cluster.ready();
  await world.registered(NAMES);
  await world.cluster.close();
});

Deno.test("a member with another KEK than it proved halts at the first keys", async () => {
  const world = await ChangesWorld.start();
  const { clock } = world.cluster;
  const [leader, late, other] = await world.roles();
  const gate = hold(world, leader, "dek");
  const change = world.ask(leader, BOOTSTRAP);
  await clock.until(gate.reached);
  await world.regive(late, 8);
  gate.letGo();
  assert.ok((await clock.until(change)).isChanged);
  await world.until(() => world.cluster.place(late).fatal !== null);
  const { fatal } = world.cluster.place(late);
  assert.ok(fatal instanceof EncryptionHaltedError);
  for (const name of [leader, other]) {
    assert.equal(world.cluster.place(name).fatal, null);
  }
  const reply = await clock.until(world.cluster.write(other, "a"));
  assert.equal(reply.kind, "committed");
  await world.regive(late, 7);
  await world.cluster.ready();
  await world.registered(NAMES);
  await world.cluster.close();
});
