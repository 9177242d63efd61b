/*
 * Goal: once there are keys, a node becomes a voter only after it has proven
 * that it can use them; one that joins after both cutovers is built from a
 * sealed checkpoint, serves, and never has a value in cleartext on its disk.
 * Method: whole nodes with real keys on simulated disks; a fourth one joins.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import { ENCODING_BYTES } from "../../../../src/fsm/types.ts";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { ChangesWorld, gated, NAMES, ROTATE, TERMS } from "./changes_world.ts";
import { joinMember } from "./join_member.ts";

useTurnCrypto();

const CANARY = "canary-0f3b-in-every-value";
const RANGE = { start: utf8("k"), end: utf8("l") };
const SMALL_LOG = {
  segmentBytes: 4_096,
  compactAfterBytes: 4_096,
  trailingEntries: 5,
};

function promote(world: ChangesWorld, leader: string) {
  const node = world.cluster.node(leader);
  const done = node.changeMembers({ kind: "promote", name: "n4" }, TERMS);
  return world.cluster.clock.until(done);
}

function isVoter(world: ChangesWorld, at: string): boolean {
  const { members } = world.cluster.node(at).status();
  return members.some((one) => one.name === "n4" && one.isVoter);
}

/** What the leader has told of promotions that wait. */
function waits(world: ChangesWorld, leader: string) {
  return world.cluster.place(leader).log.named("encryption_promotion_waits")
    .map(({ fields }) => `${fields["member"]} ${fields["code"]}`);
}

/** Lets the KEK of `name` open no challenge, as a provider that is silent. */
function silence(world: ChangesWorld, name: string): void {
  world.kek(name).beforeUnwrap = ({ kind }) => {
    if (kind !== "challenge") return;
    throw new KekUnavailableError("test:7", "refused", "it is silent", "Wait");
  };
}

/** `n4` as it joins: with a KEK that opens the keys, silent or not. */
async function join(
  world: ChangesWorld,
  { isSilent = false, promote = false } = {},
): Promise<void> {
  world.keks.set("n4", await gated());
  if (isSilent) silence(world, "n4");
  await joinMember(world.cluster, "n4", { others: NAMES, promote });
}

Deno.test("a learner without encryption halts alone, and is a voter when it has it", async () => {
  const world = await ChangesWorld.bootstrapped();
  const leader = await world.cluster.leader();
  world.off.add("n4");
  await join(world);
  await world.until(() => world.cluster.place("n4").fatal !== null);
  const { fatal } = world.cluster.place("n4");
  assert.ok(fatal instanceof EncryptionHaltedError, `${fatal}`);
  assert.match(fatal.remedy, /--encryption-enabled/);
  await world.refused(() => promote(world, leader), "NODE_MEMBER_BEHIND");
  assert.ok(!isVoter(world, leader));
  await world.cluster.stop("n4").catch(() => {});
  world.cluster.place("n4").disk.restart("all");
  world.off.delete("n4");
  await world.cluster.open("n4");
  await world.cluster.ready();
  await world.registered();
  await promote(world, leader);
  assert.ok(isVoter(world, leader));
  await world.cluster.close();
});

Deno.test("a learner that proves nothing is no voter until its remedy was followed", async () => {
  const world = await ChangesWorld.bootstrapped();
  const leader = await world.cluster.leader();
  await join(world, { isSilent: true });
  await world.cluster.ready();
  await world.registered();
  const error = await world.refused(
    () => promote(world, leader),
    "NODE_MEMBER_UNPROVEN",
  );
  assert.match(error.message, /Cannot promote "n4" as it must prove/);
  assert.match(error.remedy, /then give the command again/);
  assert.ok(!isVoter(world, leader));
  world.kek("n4").beforeUnwrap = () => {};
  await promote(world, leader);
  assert.ok(isVoter(world, leader));
  await world.cluster.close();
});

Deno.test("a learner that was to be a voter waits for its proof, which is told once", async () => {
  const world = await ChangesWorld.bootstrapped();
  const leader = await world.cluster.leader();
  await join(world, { isSilent: true, promote: true });
  await world.cluster.ready();
  await world.cluster.clock.run(15_000);
  assert.equal(waits(world, leader).length, 1, `${waits(world, leader)}`);
  assert.match(waits(world, leader)[0]!, /^n4 /);
  assert.ok(!isVoter(world, leader));
  // Nobody is held up by it.
  await world.cluster.clock.until(world.cluster.write(leader, "a"));
  world.kek("n4").beforeUnwrap = () => {};
  await world.until(() => isVoter(world, leader));
  await world.registered();
  await world.done(ROTATE);
  await world.cluster.close();
});

async function writeCanaries(world: ChangesWorld, count: number) {
  const node = world.cluster.node(await world.cluster.leader(NAMES));
  for (let i = 0; i < count; i += 1) {
    const value = {
      data: utf8(`${CANARY} ${i}`),
      encoding: ENCODING_BYTES,
    } as const;
    const reply = await world.cluster.clock.until(node.write({
      database: "",
      checks: [],
      changes: [
        { kind: "set", key: utf8(`k${i % 50}`), value, expireAtMs: 0 },
      ],
    }));
    assert.equal(reply.kind, "committed");
  }
}

/** Files and stores on the disks of `name` that have the canary in them. */
function canariesOn(world: ChangesWorld, name: string): readonly string[] {
  const { disk, kvDisks } = world.cluster.place(name);
  const has = (bytes: Uint8Array | null) =>
    bytes !== null && new TextDecoder("latin1").decode(bytes).includes(CANARY);
  const files = disk.durablePaths()
    .filter((path) => has(disk.durableBytes(path)));
  const stores = [...kvDisks].filter(([, { rows }]) =>
    rows.some(({ value }) => has(value))
  );
  return [...files, ...stores.map(([path]) => path)];
}

Deno.test("a member that joins after both cutovers never has a value in cleartext", async () => {
  const world = await ChangesWorld.bootstrapped(SMALL_LOG);
  const { clock } = world.cluster;
  await writeCanaries(world, 60);
  await world.done({ kind: "enable-storage-envelope" });
  await world.registered();
  await world.done({ kind: "enable-raft-envelope" }, {
    accept: ["unrewritten"],
  });
  // The look finds what is there: others began in cleartext.
  assert.ok(NAMES.every((name) => canariesOn(world, name).length > 0));
  await writeCanaries(world, 150);
  await clock.run(2_000);
  await join(world, { promote: true });
  await world.cluster.ready();
  const leader = await world.cluster.leader();
  await world.until(() => isVoter(world, leader));
  await world.registered();
  const { log } = world.cluster.place("n4");
  assert.equal(log.named("store_replaced").length, 1, "by checkpoint");
  await writeCanaries(world, 60);
  await clock.run(2_000);
  assert.deepEqual(canariesOn(world, "n4"), []);
  const range = { ...RANGE, limit: 1_000, reverse: false };
  const [records = []] = await clock.until(
    world.cluster.node("n4").read({
      ...{ database: "", ranges: [range], strong: true },
    }),
  );
  assert.equal(records.length, 50);
  // It leads, and seals for the others.
  await clock.until(
    world.cluster.node(leader)
      .changeMembers({ kind: "transfer-leader", name: "n4" }, TERMS),
  );
  assert.equal(await world.cluster.leader(), "n4");
  const reply = await clock.until(world.cluster.write("n1", "z"));
  assert.equal(reply.kind, "committed");
  await clock.run(2_000);
  assert.deepEqual(canariesOn(world, "n4"), []);
  await world.cluster.close();
});
