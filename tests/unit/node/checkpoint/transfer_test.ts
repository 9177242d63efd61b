import assert from "node:assert/strict";
import { settle } from "../../../sim/io/clock.ts";
import { StreamPair } from "../../../sim/io/peer_stream.ts";
import { CHECKPOINT_STALL_MS } from "../../../../src/node/checkpoint/limits.ts";
import { ConnectError } from "../../../../src/io/errors.ts";
import { encodeFrame } from "../../../../src/node/checkpoint/frame.ts";
import {
  conf,
  DIR,
  LEADER,
  MEMBER,
  PIECE,
  TransferWorld,
} from "./transfer_world.ts";

const errors = (world: TransferWorld) =>
  world.log.named("checkpoint_failed").map(({ fields }) =>
    `${fields["direction"]} ${fields["error"]}`
  );

Deno.test("send() brings the file and leaves nothing on the member", async () => {
  const world = await TransferWorld.create();
  assert.equal(await world.send(), "delivered");
  assert.deepEqual(world.installed, world.bodies);
  assert.equal(world.sender.counters.bytesSent, world.total);
  assert.deepEqual(await world.memberDisk.list(DIR), []);
  assert.deepEqual(world.events(), [
    "out:offered",
    "in:started",
    "out:started",
    "in:received",
    "in:installed",
    "out:installed",
  ]);
  assert.equal((await world.leaderDisk.list(DIR)).length, 1, "kept a while");
  await world.clock.run(60_000);
  assert.deepEqual(await world.leaderDisk.list(DIR), []);
  await world.close();
  assert.deepEqual(world.fatal, []);
});

Deno.test("send() shows how far it is, on both sides", async () => {
  const world = await TransferWorld.create();
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  const total = world.total;
  assert.deepEqual(world.sender.transfers(), [
    { peer: MEMBER, sent: 4 * PIECE, total },
  ]);
  assert.deepEqual(world.receiver?.progress(), { received: 4 * PIECE, total });
  await world.clock.until(sent);
  assert.deepEqual(world.sender.transfers(), []);
  assert.equal(world.receiver?.progress(), null);
  await world.close();
});

Deno.test("send() keeps to the throttle", async () => {
  const world = await TransferWorld.create({ bodyBytes: 20 * PIECE });
  await world.send();
  assert.equal(world.clock.monotonicMs(), 20_000);
  await world.close();
});

Deno.test("send() joins the transfer that is under way", async () => {
  const world = await TransferWorld.create();
  const both = [world.sender.send(MEMBER, 100), world.sender.send(MEMBER, 100)];
  assert.deepEqual(await world.clock.until(Promise.all(both)), [
    "delivered",
    "delivered",
  ]);
  assert.equal(world.installed.length, 1);
  await world.close();
});

Deno.test("send() shares one file and sends to two members at a time", async () => {
  const world = await TransferWorld.create();
  world.confState = conf(1, 2, 3, 4);
  const made = Promise.withResolvers<void>();
  world.beforeMake = () => made.promise;
  const peers: number[] = [];
  const unreachable: (() => void)[] = [];
  world.openStream = (peer) => {
    peers.push(peer);
    return new Promise((_, reject) => {
      unreachable.push(() => reject(new ConnectError(`${peer}`)));
    });
  };
  const all = [2, 3, 4].map((id) => world.sender.send(id, 100));
  await settle();
  made.resolve();
  await settle();
  assert.deepEqual(peers.sort(), [2, 3]);
  assert.equal(world.sender.transfers().length, 3);
  for (const fail of unreachable) fail();
  for (let i = 0; !peers.includes(4); i += 1) {
    await world.clock.run(CHECKPOINT_STALL_MS);
    assert.ok(i < 100);
  }
  assert.equal(await all[0], "failed");
  assert.equal(await all[1], "failed");
  assert.equal(world.made, 1);
  world.sender.stepDown();
  assert.equal(await all[2], "failed");
  await world.close();
});

Deno.test("send() makes another file when the log has left the old one", async () => {
  const world = await TransferWorld.create();
  await world.send();
  world.memberCommit = 0;
  await world.send();
  assert.equal(world.made, 1);
  [world.firstIndex, world.durableIndex, world.memberCommit] = [150, 200, 0];
  assert.equal(await world.send(), "delivered");
  assert.equal(world.made, 2);
  await world.close();
});

Deno.test("send() gives up a file that the log leaves behind on its way", async () => {
  const world = await TransferWorld.create();
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  [world.firstIndex, world.durableIndex] = [150, 200];
  assert.equal(await world.clock.until(sent), "delivered");
  assert.equal(world.made, 2);
  assert.equal(world.memberCommit, 200);
  await world.close();
});

Deno.test("send() makes another file when a cutover has left the old one", async () => {
  const world = await TransferWorld.create();
  await world.send();
  world.floor = 150;
  world.durableIndex = 160;
  world.memberCommit = 0;
  assert.equal(await world.send(), "delivered");
  assert.equal(world.made, 2);
  await world.close();
});

Deno.test("send() gives up a file that a cutover overtakes on its way", async () => {
  const world = await TransferWorld.create();
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  world.floor = 150;
  world.durableIndex = 160;
  assert.equal(await world.clock.until(sent), "delivered");
  assert.equal(world.made, 2);
  assert.deepEqual(world.installed, [world.bodies[1]]);
  await world.close();
});

Deno.test("removeBelow() leaves no file of before on either side", async () => {
  const world = await TransferWorld.create();
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  world.floor = 150;
  world.durableIndex = 160;
  await world.clock.until(world.sender.removeBelow(150));
  await world.clock.until(world.receiver!.removeBelow(150));
  const left = [
    ...await world.leaderDisk.list(DIR),
    ...await world.memberDisk.list(DIR),
  ].map(({ name }) => name);
  assert.equal(left.includes("outgoing-1.ckpt"), false);
  assert.equal(await world.clock.until(sent), "delivered");
  assert.deepEqual(world.installed, [world.bodies[1]]);
  await world.close();
  assert.deepEqual(world.fatal, []);
});

Deno.test("removeBelow() keeps a part that may still be needed", async () => {
  const world = await TransferWorld.create();
  void world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  await world.receiver!.removeBelow(100);
  await world.sender.removeBelow(100);
  assert.equal(world.receiver!.progress()?.received, 4 * PIECE);
  await world.close();
});

Deno.test("send() never offers a file in which the member is none", async () => {
  const world = await TransferWorld.create();
  world.confState = conf(1, 3);
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(600);
  assert.equal(world.pairs.length, 0);
  world.confState = conf(1, 2, 3);
  assert.equal(await world.clock.until(sent), "delivered");
  await world.close();
});

Deno.test("send() waits longer after each failure, across calls", async () => {
  const world = await TransferWorld.create();
  world.receiver = null;
  assert.equal(await world.send(), "failed");
  const first = world.clock.monotonicMs();
  assert.equal(world.sender.counters.attempts, 8);
  assert.equal(first, 250 + 500 + 1_000 + 2_000 + 4_000 + 8_000 + 10_000);
  assert.equal(await world.send(), "failed");
  assert.equal(world.clock.monotonicMs() - first, 8 * 10_000);
  await world.openReceiver();
  assert.equal(await world.send(), "delivered");
  await world.close();
});

Deno.test("a leader that lost its office is told so in the middle", async () => {
  const world = await TransferWorld.create();
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  world.leads = 3;
  assert.equal(await world.clock.until(sent), "failed");
  assert.deepEqual(errors(world), ["in not-leader", "out not-leader"]);
  assert.ok((world.receiver?.progress()?.received ?? 0) > 0);
  await world.close();
});

Deno.test("stepDown() ends sends as failed and removes their files", async () => {
  const world = await TransferWorld.create();
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  world.sender.stepDown();
  assert.equal(await sent, "failed");
  await settle();
  assert.deepEqual(await world.leaderDisk.list(DIR), []);
  assert.equal(world.sender.retainFrom(), null);
  assert.deepEqual(world.sender.transfers(), []);
  // It leads again, and the member has nothing of the new file.
  assert.equal(await world.send(), "delivered");
  assert.deepEqual(world.installed, [world.bodies[1]]);
  await world.close();
});

Deno.test("close() while a file is made waits for it and removes it", async () => {
  const world = await TransferWorld.create();
  const made = Promise.withResolvers<void>();
  world.beforeMake = () => made.promise;
  const sent = world.sender.send(MEMBER, 100);
  await settle();
  const closing = world.sender.close();
  made.resolve();
  await closing;
  assert.equal(await sent, "failed");
  assert.deepEqual(await world.leaderDisk.list(DIR), []);
  assert.equal(await world.sender.send(MEMBER, 100), "failed");
  await world.close();
});

Deno.test("a sender removes what an earlier process left", async () => {
  const world = await TransferWorld.create();
  await world.send();
  await world.restartLeader("all");
  assert.deepEqual(await world.leaderDisk.list(DIR), []);
  await world.close();
});

Deno.test("a member that never answers, or stops to read, counts as broken", async () => {
  for (const answers of [false, true]) {
    const world = await TransferWorld.create();
    const { far, near } = new StreamPair(world.faults, LEADER, MEMBER);
    const open = world.openStream;
    world.openStream = async () => near;
    const sent = world.sender.send(MEMBER, 100);
    await settle();
    if (answers) {
      await far.read();
      await far.write(encodeFrame({ type: "resume", offset: 0 }));
    }
    world.openStream = open;
    await world.clock.run(CHECKPOINT_STALL_MS + 5_000);
    assert.deepEqual(errors(world), ["out nothing moves any more"]);
    assert.equal(await world.clock.until(sent), "delivered");
    assert.equal(world.made, 1);
    await world.close();
  }
});

Deno.test("a leader that falls silent loses its place", async () => {
  const world = await TransferWorld.create();
  const stream = world.connect(MEMBER);
  const digest = new Uint8Array(32);
  await stream.write(
    encodeFrame({ type: "offer", digest, bytes: 10, index: 9, term: 1 }),
  );
  await stream.read();
  await world.clock.run(CHECKPOINT_STALL_MS);
  assert.equal(await stream.read(), null);
  assert.deepEqual(errors(world), ["in nothing moves any more"]);
  await world.close();
});

Deno.test("the log is held until the member has caught up", async () => {
  const world = await TransferWorld.create();
  assert.equal(world.sender.retainFrom(), null);
  const made = Promise.withResolvers<void>();
  world.beforeMake = () => made.promise;
  const sent = world.sender.send(MEMBER, 90);
  await settle();
  assert.equal(world.sender.retainFrom(), 90, "while the file is made");
  made.resolve();
  await world.clock.run(3_000);
  assert.equal(world.sender.retainFrom(), 100);
  await world.clock.until(sent);
  world.lastIndex = 5_000;
  assert.equal(world.sender.retainFrom(), 100);
  world.match = 3_000;
  assert.equal(world.sender.retainFrom(), 3_000);
  world.match = 4_500;
  assert.equal(world.sender.retainFrom(), null);
  await world.close();
});

Deno.test("the log is not held for ever, and given up when told", async () => {
  const world = await TransferWorld.create();
  await world.send();
  await world.clock.run(5 * 60_000 - 1);
  assert.equal(world.sender.retainFrom(), 100);
  await world.clock.run(1);
  assert.equal(world.sender.retainFrom(), null);
  world.memberCommit = 0;
  await world.send();
  world.sender.drop(77);
  assert.equal(world.sender.retainFrom(), null);
  assert.deepEqual(
    world.log.named("checkpoint_hold_dropped").map(({ fields }) => fields),
    [{ index: 100, bytes: 77 }],
  );
  await world.close();
});
