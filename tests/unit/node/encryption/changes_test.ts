/*
 * Goal: an operator's change of encryption is carried out whole or refused
 * whole, whoever lacks what, and a refusal leaves all members as they were.
 * Method: whole nodes with real keys on simulated disks, network and time.
 */
import assert from "node:assert/strict";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import type { CapabilityUnprovenError } from "../../../../src/node/encryption/change_errors.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import {
  BOOTSTRAP,
  ChangesWorld,
  NAMES,
  REGISTER,
  REWRAP,
  ROTATE,
} from "./changes_world.ts";

useTurnCrypto();

const KEY_REQUESTS = [ROTATE, REWRAP, REGISTER];

Deno.test("bootstrap draws three keys under every KEK, and tells it again", async () => {
  const world = await ChangesWorld.start({
    keks: { n1: [7, 8], n2: [7, 8], n3: [8, 7] },
  });
  const first = await world.done(BOOTSTRAP);
  assert.equal(first.isChanged, true);
  assert.deepEqual(first.unreachable, []);
  await world.registered();
  const { keys, stateIndex } = await world.status("n2");
  assert.equal(stateIndex, first.index);
  const purposes = keys.map(({ purpose }) => purpose).sort();
  assert.deepEqual(purposes, ["raft", "state", "storage"]);
  for (const { keks, createdIndex } of keys) {
    assert.equal(keks.length, 2);
    assert.equal(createdIndex, first.index);
  }
  const before = world.states();
  const again = await world.done(BOOTSTRAP);
  assert.deepEqual([again.isChanged, again.index], [false, first.index]);
  await world.unchangedFrom(before);
  await world.cluster.close();
});

Deno.test("a lone node is a cluster too", async () => {
  const world = await ChangesWorld.bootstrapped({ names: ["n1"] });
  assert.ok((await world.done(ROTATE)).isChanged);
  await world.registered();
  assert.equal((await world.status("n1")).keys.length, 4);
  await world.cluster.close();
});

for (const purpose of ["storage", "raft"] as const) {
  Deno.test(`rotate-dek draws another ${purpose} key and keeps the old one`, async () => {
    const world = await ChangesWorld.bootstrapped();
    const old = await world.active("n1", purpose);
    const { index, isChanged } = await world.done({
      kind: "rotate-dek",
      purpose,
    });
    assert.ok(isChanged);
    await world.registered();
    for (const name of NAMES) {
      const { keys } = await world.status(name);
      assert.equal(keys.length, 4);
      const kept = keys.find(({ id }) => id === old.id)!;
      assert.deepEqual([kept.isActive, kept.deactivatedIndex], [false, index]);
      const fresh = await world.active(name, purpose);
      assert.equal(fresh.createdIndex, index);
      assert.equal(fresh.writers.length, 3);
    }
    await world.cluster.close();
  });
}

Deno.test("rotate-dek goes on without a member that is down, and says so", async () => {
  const world = await ChangesWorld.bootstrapped();
  const [, down, up] = await world.roles();
  world.cluster.network.isolate(down);
  const result = await world.done(ROTATE, {});
  assert.deepEqual(result.unreachable, [down]);
  assert.ok(result.isChanged);
  world.cluster.network.heal();
  await world.registered();
  assert.deepEqual(await world.active(down, "storage"), {
    ...await world.active(up, "storage"),
  });
  await world.cluster.close();
});

Deno.test("register-writer has nothing to do when all is registered", async () => {
  const world = await ChangesWorld.bootstrapped();
  const before = world.states();
  const { isChanged, index } = await world.done(REGISTER);
  assert.deepEqual([isChanged, index], [false, 0]);
  await world.unchangedFrom(before);
  await world.cluster.close();
});

Deno.test("register-writer registers what is not", async () => {
  const world = await ChangesWorld.bootstrapped();
  const [leader] = await world.roles();
  const { id } = await world.active(leader, "storage");
  const epoch = await world.custody(leader).nextEpoch(id);
  const { isChanged, index } = await world.done(REGISTER);
  assert.ok(isChanged && index > 0);
  const { writers } = await world.active(leader, "storage");
  const row = writers.find(({ member }) => member === leader)!;
  assert.equal(row.lastEpoch, epoch);
  await world.registered();
  await world.cluster.close();
});

Deno.test("rewrap-deks wraps all keys anew, and the same again changes nothing", async () => {
  const world = await ChangesWorld.bootstrapped({
    keks: { n1: [7, 8], n2: [7, 8], n3: [7, 8] },
  });
  const [old, next] = world.keks.get("n1")!.map(({ id }) => id);
  await world.done(ROTATE);
  await world.registered();
  const { index } = await world.done({ ...REWRAP, keks: [next!, next!] });
  await world.cluster.clock.run(500);
  for (const name of NAMES) {
    const { keys, stateIndex } = await world.status(name);
    assert.equal(stateIndex, index);
    assert.deepEqual(keys.map(({ keks }) => keks), keys.map(() => [next]));
  }
  const before = world.states();
  const again = await world.done({ ...REWRAP, keks: [next!] });
  assert.equal(again.isChanged, false);
  await world.unchangedFrom(before);
  const both = await world.done({ ...REWRAP, keks: [next!, old!] });
  assert.ok(both.isChanged);
  await world.cluster.close();
});

for (const request of [BOOTSTRAP, ...KEY_REQUESTS]) {
  Deno.test(`${request.kind} is the leader's`, async () => {
    const world = request.kind === "bootstrap"
      ? await ChangesWorld.start()
      : await ChangesWorld.bootstrapped();
    const [leader, other] = await world.roles();
    const error = await world.refused(
      () => world.cluster.clock.until(world.ask(other, request)),
      "NODE_NOT_LEADER",
    );
    assert.equal(error.leader, leader);
    await world.cluster.close();
  });
}

for (const request of KEY_REQUESTS) {
  Deno.test(`${request.kind} wants keys`, async () => {
    const world = await ChangesWorld.start();
    await world.refused(() => world.done(request), "NODE_NOT_BOOTSTRAPPED");
    await world.cluster.close();
  });
}

Deno.test("a dry run plans, and proposes nothing", async () => {
  const world = await ChangesWorld.start();
  const [leader] = await world.roles();
  const node = world.cluster.node(leader);
  // All have announced themselves.
  await world.cluster.clock.run(2_000);
  let { commit } = node.status();
  const plan = await world.done(BOOTSTRAP, { dryRun: true });
  assert.deepEqual([plan.isChanged, plan.index], [false, 0]);
  assert.equal(plan.plan.steps.length, 3);
  await world.cluster.clock.run(500);
  assert.equal(node.status().commit, commit);
  const done = await world.done(BOOTSTRAP, { planHash: plan.plan.hash });
  assert.equal(done.plan.hash, plan.plan.hash);
  await world.registered();
  commit = node.status().commit;
  for (const request of [ROTATE, REWRAP]) {
    const before = world.states();
    const dry = await world.done(request, { dryRun: true });
    assert.equal(dry.isChanged, false);
    await world.cluster.clock.run(500);
    assert.equal(node.status().commit, commit);
    assert.deepEqual(world.states(), before);
  }
  await world.cluster.close();
});

Deno.test("a change with the hash of another plan is refused", async () => {
  const world = await ChangesWorld.bootstrapped();
  const { plan } = await world.done(ROTATE, { dryRun: true });
  await world.done({ kind: "rotate-dek", purpose: "raft" });
  await world.registered();
  await world.refused(
    () => world.done(ROTATE, { planHash: plan.hash }),
    "NODE_PLAN_STALE",
  );
  await world.cluster.close();
});

/** Who lacks what, and how a leader finds it. */
const LACKS: [
  name: string,
  given: Parameters<typeof ChangesWorld.start>[0],
  code: string,
][] = [
  ["without the flag", { off: ["n3"] }, "flag-missing"],
  ["with another KEK", { keks: { n3: [8] } }, "kek-unproven"],
  ["without a KEK", { keks: { n3: [] }, off: ["n3"] }, "flag-missing"],
];

for (const [name, given, code] of LACKS) {
  Deno.test(`bootstrap is refused for a member ${name}`, async () => {
    const world = await ChangesWorld.start(given);
    // n3 is not to lead: its own gate would speak first.
    await world.unlead("n3");
    const error = await world.refused(
      () => world.done(BOOTSTRAP),
      "NODE_CAPABILITY_UNPROVEN",
    );
    const { findings } = error as unknown as CapabilityUnprovenError;
    const found = findings.map((one) => `${one.member} ${one.code}`);
    assert.deepEqual(found, [`n3 ${code}`]);
    // And when it has what it lacked, the same command goes through.
    world.off.clear();
    await world.regive("n3", 7);
    await world.cluster.ready();
    await world.until(async () => {
      const leader = await world.cluster.leader();
      const findings = await world.cluster.clock.until(
        world.operations(leader).askCapabilities(),
      );
      return findings.every((one) => one.code === "");
    });
    assert.ok((await world.done(BOOTSTRAP)).isChanged);
    await world.registered();
    await world.cluster.close();
  });
}

Deno.test("bootstrap and rewrap-deks are refused for a member that is down", async () => {
  const fresh = await ChangesWorld.start();
  const [, down] = await fresh.roles();
  fresh.cluster.network.isolate(down);
  const names = NAMES.filter((name) => name !== down);
  const before = fresh.states(names);
  const leader = await fresh.cluster.leader(names);
  await assert.rejects(
    fresh.cluster.clock.until(fresh.ask(leader, BOOTSTRAP)),
    (error: CapabilityUnprovenError) => {
      assert.equal(error.code, "NODE_CAPABILITY_UNPROVEN");
      const [found] = error.findings;
      assert.deepEqual([found!.member, found!.code], [down, "unreachable"]);
      return true;
    },
  );
  assert.deepEqual(fresh.states(names), before);
  fresh.cluster.network.heal();
  await fresh.cluster.close();
  const world = await ChangesWorld.bootstrapped({
    keks: { n1: [7, 8], n2: [7, 8], n3: [7, 8] },
  });
  const [, second] = await world.roles();
  const next = world.kek("n1", 1).id;
  world.cluster.network.isolate(second);
  await assert.rejects(world.done({ ...REWRAP, keks: [next] }), {
    code: "NODE_CAPABILITY_UNPROVEN",
  });
  world.cluster.network.heal();
  await world.registered();
  await world.cluster.close();
});

Deno.test("a leader that lacks something says what, and proposes nothing", async () => {
  const world = await ChangesWorld.start({ off: NAMES });
  const error = await world.refused(
    () => world.done(BOOTSTRAP),
    "NODE_ENCRYPTION_GATE_CLOSED",
  );
  assert.match(error.message, /encryption is off on this node/);
  await world.refused(
    () => world.done(BOOTSTRAP, { dryRun: true }),
    "NODE_ENCRYPTION_GATE_CLOSED",
  );
  await world.cluster.close();
});

Deno.test("a provider that is down is no reason for half a change", async () => {
  const world = await ChangesWorld.bootstrapped();
  const [leader] = await world.roles();
  const kek = world.kek(leader);
  // Up for the gate and the question, down for the key.
  kek.beforeWrap = ({ kind }) => {
    if (kind !== "dek") return;
    throw new KekUnavailableError(kek.id, "unreachable", "a test", "Wait");
  };
  await world.refused(() => world.done(ROTATE), "KEYS_KEK_UNAVAILABLE");
  kek.beforeWrap = () => {};
  assert.ok((await world.done(ROTATE)).isChanged, "the lock is free");
  await world.registered();
  await world.cluster.close();
});

Deno.test("bootstrap is refused whole when the provider goes down between two keys", async () => {
  const world = await ChangesWorld.start();
  const [leader] = await world.roles();
  const kek = world.kek(leader);
  let wraps = 0;
  kek.beforeWrap = ({ kind }) => {
    if (kind !== "dek") return;
    wraps += 1;
    if (wraps < 3) return;
    throw new KekUnavailableError(kek.id, "unreachable", "a test", "Wait");
  };
  await world.refused(() => world.done(BOOTSTRAP), "KEYS_KEK_UNAVAILABLE");
  assert.equal(wraps, 3);
  await world.cluster.close();
});

Deno.test("what a provider makes of a key may not fit an entry", async () => {
  const world = await ChangesWorld.bootstrapped();
  const [leader] = await world.roles();
  const kek = world.kek(leader);
  kek.bend = (wrapped, { kind }) =>
    kind === "dek" ? new Uint8Array(1_025) : wrapped;
  const error = await world.refused(
    () => world.done(ROTATE),
    "NODE_ENCRYPTION_REFUSED",
  );
  assert.equal(error.refusal, "malformed");
  kek.bend = (wrapped) => wrapped;
  assert.ok((await world.done(ROTATE)).isChanged);
  await world.registered();
  await world.cluster.close();
});

Deno.test("rotate-dek is refused by a leader that lacks a KEK of the active key", async () => {
  const world = await ChangesWorld.bootstrapped({
    keks: { n1: [7, 8], n2: [7, 8], n3: [7, 8] },
  });
  const [leader] = await world.roles();
  const lost = world.kek(leader, 1).id;
  for (const name of NAMES) await world.regive(name, 7);
  await world.cluster.ready();
  await world.registered();
  const error = await world.refused(
    () => world.done(ROTATE),
    "KEYS_KEK_UNKNOWN",
  );
  assert.equal(error.kek, lost);
  await world.refused(
    () => world.done({ ...REWRAP, keks: [lost] }),
    "KEYS_KEK_UNKNOWN",
  );
  await world.done(REWRAP);
  assert.ok((await world.done(ROTATE)).isChanged, "after a rewrap");
  await world.registered();
  await world.cluster.close();
});
