import assert from "node:assert/strict";
import { settle } from "../../../sim/io/clock.ts";
import {
  CHECKPOINT_BYTES_MAX,
  CHECKPOINT_SPACE_RESERVE_BYTES,
  CHECKPOINT_STALL_MS,
} from "../../../../src/node/checkpoint/limits.ts";
import { encodeFrame } from "../../../../src/node/checkpoint/frame.ts";
import { DIR, LEADER, MEMBER, TransferWorld } from "./transfer_world.ts";

const errors = (world: TransferWorld) =>
  world.log.named("checkpoint_failed").map(({ fields }) =>
    `${fields["direction"]} ${fields["error"]}`
  );

Deno.test("a member that has enough says so, and drops its part", async () => {
  const world = await TransferWorld.create();
  void world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  world.sender.stepDown();
  world.memberCommit = 100;
  assert.equal(await world.send(), "delivered");
  assert.equal(world.prepared, 0);
  assert.equal(world.receiver?.progress(), null);
  await world.close();
});

Deno.test("a part that is not needed any more is removed at the start", async () => {
  const world = await TransferWorld.create();
  void world.sender.send(MEMBER, 100);
  await world.clock.run(3_000);
  world.memberCommit = 100;
  await world.restartMember("all");
  assert.equal(world.receiver?.progress(), null);
  assert.deepEqual(await world.memberDisk.list(DIR), []);
  await world.close();
});

Deno.test("a member refuses who does not lead, and what does not fit", async () => {
  const world = await TransferWorld.create();
  world.leads = 3;
  assert.equal(await world.send(), "failed");
  world.leads = LEADER;
  world.freeBytes = 2 * world.total + CHECKPOINT_SPACE_RESERVE_BYTES - 1;
  assert.equal(await world.send(), "failed");
  assert.deepEqual(errors(world), [
    "out not-leader",
    "in no-space",
    "out no-space",
  ]);
  world.freeBytes += 1;
  assert.equal(await world.send(), "delivered");
  await world.close();
});

Deno.test("a member refuses a length that no file has", async () => {
  const world = await TransferWorld.create();
  const stream = world.connect(MEMBER);
  const digest = new Uint8Array(32);
  const bytes = CHECKPOINT_BYTES_MAX + 1;
  await stream.write(
    encodeFrame({ type: "offer", digest, bytes, index: 9, term: 1 }),
  );
  assert.deepEqual(
    await stream.read(),
    encodeFrame({ type: "refused", reason: "too-large" }),
  );
  stream.close();
  await world.close();
});

Deno.test("a member takes no byte beyond the length it was told", async () => {
  const world = await TransferWorld.create();
  const stream = world.connect(MEMBER);
  const digest = new Uint8Array(32);
  await stream.write(
    encodeFrame({ type: "offer", digest, bytes: 10, index: 9, term: 1 }),
  );
  await stream.read();
  const data = new Uint8Array(11);
  await stream.write(encodeFrame({ type: "piece", offset: 0, data }));
  assert.equal(await stream.read(), null);
  assert.deepEqual(world.receiver?.progress(), { received: 0, total: 10 });
  assert.deepEqual(world.fatal, []);
  await world.close();
});

Deno.test("an end before the end is no end", async () => {
  const world = await TransferWorld.create();
  const stream = world.connect(MEMBER);
  const digest = new Uint8Array(32);
  await stream.write(
    encodeFrame({ type: "offer", digest, bytes: 10, index: 9, term: 1 }),
  );
  await stream.read();
  await stream.write(encodeFrame({ type: "end" }));
  assert.equal(await stream.read(), null);
  assert.equal(world.prepared, 0);
  await world.close();
});

Deno.test("a newer offer takes the place of an older stream", async () => {
  const world = await TransferWorld.create();
  world.leads = 3;
  const stream = world.connect(MEMBER, 3);
  const digest = new Uint8Array(32).fill(9);
  await stream.write(
    encodeFrame({ type: "offer", digest, bytes: 99, index: 90, term: 1 }),
  );
  await stream.read();
  const data = new Uint8Array(50);
  await stream.write(encodeFrame({ type: "piece", offset: 0, data }));
  await settle();
  assert.deepEqual(world.receiver?.progress(), { received: 50, total: 99 });
  // Another one leads; the older stream has not been closed.
  world.leads = LEADER;
  assert.equal(await world.send(), "delivered");
  assert.equal(await stream.read(), null);
  assert.deepEqual(world.installed, world.bodies);
  await world.close();
});

Deno.test("a member that installs for long says so, and is busy", async () => {
  const world = await TransferWorld.create();
  const prepared = Promise.withResolvers<void>();
  world.beforePrepare = () => prepared.promise;
  const sent = world.sender.send(MEMBER, 100);
  await world.clock.run(10_000 + 4 * CHECKPOINT_STALL_MS);
  assert.equal(world.sender.transfers().length, 1, "it is not taken for dead");
  world.pairs[0]?.break();
  await world.clock.run(1_000);
  assert.ok(errors(world).includes("out the member is installing one"));
  prepared.resolve();
  assert.equal(await world.clock.until(sent), "delivered");
  assert.equal(world.prepared, 1);
  await world.close();
});

Deno.test("a whole file of another index than the offer's is not installed", async () => {
  const world = await TransferWorld.create();
  world.indexOffset = 1;
  assert.equal(await world.send(), "failed");
  assert.ok(errors(world).includes("in another checkpoint"));
  assert.equal(world.installed.length, 0);
  assert.equal(world.discarded, world.prepared);
  await world.close();
});

Deno.test("what the core does not need is discarded and counts as delivered", async () => {
  const world = await TransferWorld.create();
  world.onPrepared = () => Promise.resolve("not-needed");
  assert.equal(await world.send(), "delivered");
  assert.equal(world.discarded, 1);
  assert.deepEqual(await world.memberDisk.list(DIR), []);
  await world.close();
});

Deno.test("close() of a member while it verifies keeps the part", async () => {
  const world = await TransferWorld.create();
  const prepared = Promise.withResolvers<void>();
  world.beforePrepare = () => prepared.promise;
  void world.sender.send(MEMBER, 100);
  await world.clock.run(11_000);
  const closing = world.receiver?.close();
  prepared.resolve();
  await closing;
  assert.equal(world.discarded, 1);
  assert.equal(world.installed.length, 0);
  await world.openReceiver();
  assert.deepEqual(world.receiver?.progress(), {
    received: world.total,
    total: world.total,
  });
  await world.close();
  assert.deepEqual(world.fatal, []);
});
