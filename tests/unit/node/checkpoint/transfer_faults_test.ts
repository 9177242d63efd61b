import assert from "node:assert/strict";
import { CHECKPOINT_ATTEMPTS_MAX } from "../../../../src/node/checkpoint/limits.ts";
import { equalBytes } from "../../../../src/base/bytes.ts";
import type { SendOutcome } from "../../../../src/node/checkpoint/port.ts";
import { CRASH_KINDS, type CrashKind, SimCrash } from "../../../sim/io/disk.ts";
import { settle } from "../../../sim/io/clock.ts";
import { DIR, MEMBER, PIECE, TransferWorld } from "./transfer_world.ts";

/** Frames on their way when a stream breaks, and the one that breaks it. */
const LOST_PIECES_MAX = 4;
/** What the member syncs at a time, in this world. */
const NOTE_PIECES = 2;

/** What a transfer without faults does. */
async function cleanRun() {
  const world = await TransferWorld.create();
  const [memberFrom, leaderFrom] = [
    world.memberDisk.operations,
    world.leaderDisk.operations,
  ];
  await world.send();
  await world.close();
  return {
    frames: world.faults.frames,
    member: { from: memberFrom, until: world.memberDisk.operations },
    leader: { from: leaderFrom, until: world.leaderDisk.operations },
  };
}

function assertArrived(world: TransferWorld, outcome: SendOutcome): void {
  assert.equal(outcome, "delivered");
  assert.ok(world.installed.length > 0, "nothing was installed");
  for (const body of world.installed) {
    assert.ok(world.bodies.some((made) => equalBytes(made, body)));
  }
}

Deno.test("a break at any frame costs no more than what was on its way", async () => {
  const { frames } = await cleanRun();
  assert.ok(frames > 12);
  const resent: number[] = [];
  for (let at = 1; at <= frames; at += 1) {
    const world = await TransferWorld.create();
    world.faults.breakAt = at;
    assertArrived(world, await world.send());
    assert.equal(world.installed.length, 1);
    assert.equal(world.made, 1);
    // Bytes that were counted as sent when the stream broke under them are
    // not: the last one may count less than it cost.
    resent.push(world.sender.counters.bytesSent - world.total);
    await world.close();
    assert.deepEqual(world.fatal, []);
  }
  assert.ok(Math.max(...resent) <= LOST_PIECES_MAX * PIECE, `${resent}`);
});

Deno.test("more breaks than attempts still end while each brings something", async () => {
  const world = await TransferWorld.create({ bodyBytes: 80 * PIECE });
  const sent = world.sender.send(MEMBER, 100);
  let isOver = false;
  void sent.then(() => isOver = true);
  world.faults.breakAt = 4;
  for (let i = 0; i < 10_000 && !isOver; i += 1) {
    if (world.faults.frames >= world.faults.breakAt) {
      world.faults.breakAt = world.faults.frames + 5;
    }
    world.clock.step();
    await settle();
  }
  assertArrived(world, await sent);
  assert.ok(world.pairs.length > 1 + CHECKPOINT_ATTEMPTS_MAX);
  await world.close();
});

function countDamaged(world: TransferWorld): number {
  return world.log.named("checkpoint_failed").filter(({ fields }) =>
    fields["error"] === "STORE_CHECKPOINT_DAMAGED"
  ).length;
}

async function crashMember(
  at: number,
  kind: CrashKind,
  prepare: (world: TransferWorld) => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const world = await TransferWorld.create({ seed: at });
  await prepare(world);
  const sentBefore = world.sender.counters.bytesSent;
  world.memberDisk.crashAt = world.memberDisk.operations + at;
  const sent = world.sender.send(MEMBER, world.durableIndex);
  let outcome: SendOutcome | null = null;
  void sent.then((it) => outcome = it);
  while (outcome === null) {
    world.clock.step();
    await settle();
    const crash = world.fatal.pop();
    if (crash === undefined) continue;
    assert.ok(crash instanceof SimCrash, `${crash}`);
    await world.restartMember(kind);
  }
  assertArrived(world, outcome);
  assert.equal(world.installed.length, 1);
  assert.equal(countDamaged(world), 0, "it went on from what was not synced");
  await world.close();
  assert.deepEqual(await world.memberDisk.list(DIR), []);
  return world.sender.counters.bytesSent - sentBefore - world.total;
}

/** Leaves most of a file on the member that nobody will ask for again. */
async function leaveOlderPart(world: TransferWorld): Promise<void> {
  void world.sender.send(MEMBER, 100);
  await world.clock.run(8_000);
  world.sender.stepDown();
  await world.clock.run(1_000);
  assert.ok((world.receiver?.progress()?.received ?? 0) > 6 * PIECE);
  world.durableIndex = 200;
}

for (const kind of CRASH_KINDS) {
  Deno.test(`a member that crashes anywhere gets the file (${kind})`, async () => {
    const { member } = await cleanRun();
    const count = member.until - member.from;
    assert.ok(count > 15);
    let worst = 0;
    for (let at = 1; at <= count; at += 1) {
      worst = Math.max(worst, await crashMember(at, kind));
    }
    assert.ok(worst <= (NOTE_PIECES + LOST_PIECES_MAX) * PIECE, `${worst}`);
  });

  Deno.test(`a member that crashes while it replaces a part (${kind})`, async () => {
    for (let at = 1; at <= 12; at += 1) {
      await crashMember(at, kind, leaveOlderPart);
    }
  });

  Deno.test(`a leader that crashes anywhere sends again (${kind})`, async () => {
    const { leader } = await cleanRun();
    const count = leader.until - leader.from;
    assert.ok(count > 2);
    for (let at = 1; at <= count; at += 1) {
      const world = await TransferWorld.create({ seed: at });
      world.leaderDisk.crashAt = world.leaderDisk.operations + at;
      const first = await world.send().catch((error) => error);
      await world.clock.run(70_000);
      await assert.rejects(world.leaderDisk.exists("/data"), SimCrash);
      assert.ok(first === "delivered" || first instanceof SimCrash);
      await world.restartLeader(kind);
      assertArrived(world, await world.send());
      await world.clock.run(70_000);
      assert.deepEqual(await world.leaderDisk.list("/data/checkpoints"), []);
      await world.close();
    }
  });
}

Deno.test("a member that crashes again and again gets the file", async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const world = await TransferWorld.create({ seed });
    const disk = world.memberDisk;
    const draw = (below: number) =>
      1 + (seed * 7919 + disk.life * 104_729) % below;
    disk.crashAt = disk.operations + draw(20);
    let outcome: SendOutcome | null = null;
    void world.sender.send(MEMBER, 100).then((it) => outcome = it);
    for (let left = 3; outcome === null;) {
      world.clock.step();
      await settle();
      if (world.fatal.pop() === undefined) continue;
      await world.restartMember(CRASH_KINDS[draw(6) - 1] as CrashKind);
      left -= 1;
      if (left > 0) disk.crashAt = disk.operations + draw(20);
    }
    assertArrived(world, outcome);
    assert.equal(countDamaged(world), 0);
    await world.close();
  }
});

Deno.test("a byte that changes on its way is noticed at its piece", async () => {
  const world = await TransferWorld.create();
  world.faults.damage = (frame, count) => {
    if (count === 6) frame[200]! ^= 1;
  };
  assertArrived(world, await world.send());
  assert.equal(world.prepared, 1);
  const resent = world.sender.counters.bytesSent - world.total;
  assert.ok(resent <= LOST_PIECES_MAX * PIECE, `${resent}`);
  await world.close();
});

Deno.test("a part that went bad is damaged, fetched again, never installed", async () => {
  const world = await TransferWorld.create();
  world.faults.breakAt = 8;
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(5_000);
  await world.clock.run(0);
  world.memberDisk.flipBit("/data/checkpoints/incoming.part", 8 * 100);
  assertArrived(world, await world.clock.until(sent));
  assert.equal(world.prepared, 2);
  assert.equal(world.made, 1, "the leader's file was not to blame");
  assert.deepEqual(world.installed, world.bodies);
  await world.close();
});

Deno.test("a file that went bad on the leader is made again", async () => {
  const world = await TransferWorld.create();
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(1_000);
  world.leaderDisk.flipBit("/data/checkpoints/outgoing-1.ckpt", 8 * 9_000);
  assertArrived(world, await world.clock.until(sent));
  assert.equal(world.made, 2);
  assert.equal(world.prepared, 2);
  assert.deepEqual(world.installed, world.bodies.slice(1));
  await world.close();
});

Deno.test("a part of another file under this digest ends as damaged", async () => {
  const world = await TransferWorld.create();
  world.faults.breakAt = 8;
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(4_000);
  // As if the note were of this file and the part of another.
  for (let bit = 0; bit < 8 * PIECE; bit += 3) {
    world.memberDisk.flipBit("/data/checkpoints/incoming.part", bit);
  }
  assertArrived(world, await world.clock.until(sent));
  assert.deepEqual(world.installed, world.bodies);
  assert.ok(world.events().includes("in:failed"));
  await world.close();
});

Deno.test("a full disk is named to the sender and loses nothing", async () => {
  const world = await TransferWorld.create();
  world.memberDisk.capacityBytes = 5 * PIECE + 200;
  const sent = world.send();
  assert.equal(await sent, "failed");
  const told = world.log.named("checkpoint_failed").map(({ fields }) =>
    `${fields["direction"]} ${fields["error"]}`
  );
  assert.deepEqual(told, ["in IO_NO_SPACE", "out IO_NO_SPACE"]);
  const before = world.receiver!.progress()!.received;
  assert.equal(before % (NOTE_PIECES * PIECE), PIECE, "between two notes");
  world.memberDisk.capacityBytes = Infinity;
  await world.restartMember("none");
  assert.equal(world.receiver!.progress()!.received, before);
  assertArrived(world, await world.send());
  assert.equal(world.made, 1);
  const resent = world.sender.counters.bytesSent - world.total;
  assert.ok(resent <= LOST_PIECES_MAX * PIECE, `${resent}`);
  await world.close();
});

Deno.test("a sender in full swing hears why the member stopped", async () => {
  const world = await TransferWorld.create({
    bodyBytes: 3 * 2 ** 20,
    bytesPerSecond: Infinity,
  });
  world.memberDisk.capacityBytes = 300_000;
  assert.equal(await world.send(), "failed");
  const told = world.log.named("checkpoint_failed").map(({ fields }) =>
    `${fields["direction"]} ${fields["error"]}`
  );
  assert.deepEqual(told, ["in IO_NO_SPACE", "out IO_NO_SPACE"]);
  world.memberDisk.capacityBytes = Infinity;
  assertArrived(world, await world.send());
  await world.close();
});

Deno.test("a sync that fails costs the part, not the member", async () => {
  const world = await TransferWorld.create();
  world.memberDisk.failSyncAt = world.memberDisk.syncs + 3;
  assert.equal(await world.send(), "failed");
  assert.equal(world.receiver!.progress(), null);
  assertArrived(world, await world.send());
  assert.deepEqual(world.fatal, []);
  await world.close();
});
