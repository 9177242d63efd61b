import assert from "node:assert/strict";
import {
  outgoingMessage,
  outgoingPacket,
} from "../../../src/transport/batch.ts";
import { FRAME_HEADER_BYTES } from "../../../src/transport/frame.ts";
import {
  BATCH_BYTES_TARGET,
  LINK_QUEUE_BYTES_MAX,
  LINK_RESERVE_BYTES,
  PACKET_BYTES_MAX,
} from "../../../src/transport/limits.ts";
import { SendQueue } from "../../../src/transport/send_queue.ts";
import { append, entryAt, heartbeat } from "./messages.ts";

const bulk = outgoingMessage(append([entryAt(1, new Uint8Array(100_000))]));
const small = outgoingMessage(heartbeat(1));

Deno.test("SendQueue takes bulk up to its limit and small messages beyond", () => {
  const queue = new SendQueue();
  let count = 0;
  while (queue.offer(bulk)) count += 1;
  assert.equal(count, Math.floor(LINK_QUEUE_BYTES_MAX / bulk.bytes));
  let reserve = 0;
  while (queue.offer(small)) reserve += 1;
  assert.ok(reserve * small.bytes >= LINK_RESERVE_BYTES - small.bytes);
  assert.ok(queue.bytes <= LINK_QUEUE_BYTES_MAX + LINK_RESERVE_BYTES);
  assert.equal(queue.clear(), count + reserve);
  assert.equal(queue.bytes, 0);
  assert.equal(queue.take(), null);
});

Deno.test("SendQueue.take() fills a frame up to its target", () => {
  const queue = new SendQueue();
  for (let i = 0; i < 25; i += 1) queue.offer(bulk);
  const counts: number[] = [];
  for (let batch = queue.take(); batch !== null; batch = queue.take()) {
    counts.push(batch.messageCount);
    assert.ok(batch.frame.length <= BATCH_BYTES_TARGET + FRAME_HEADER_BYTES);
  }
  assert.deepEqual(counts, [10, 10, 5]);
  assert.equal(queue.bytes, 0);
});

Deno.test("SendQueue.take() sends a long item alone", () => {
  const queue = new SendQueue();
  const long = outgoingPacket(new Uint8Array(PACKET_BYTES_MAX));
  for (const item of [small, long, small]) queue.offer(item);
  const counts = [0, 1, 2].map(() => queue.take()?.messageCount);
  assert.deepEqual(counts, [1, 0, 1]);
});

Deno.test("SendQueue keeps its order over thousands of items", () => {
  const queue = new SendQueue();
  const bytes = outgoingMessage(heartbeat(0)).bytes;
  const perFrame = Math.floor(BATCH_BYTES_TARGET / bytes);
  for (let i = 0; i < 30_000; i += 1) {
    queue.offer(outgoingMessage(heartbeat(i)));
  }
  let next = 0;
  for (let batch = queue.take(); batch !== null; batch = queue.take()) {
    assert.ok(batch.messageCount <= perFrame);
    const view = new DataView(batch.frame.buffer);
    for (let i = 0; i < batch.messageCount; i += 1) {
      const commitAt = FRAME_HEADER_BYTES + i * bytes + 5 + 48;
      assert.equal(view.getUint32(commitAt + 4), next);
      next += 1;
    }
    if (next > 20_000 && next < 25_000) {
      queue.offer(outgoingMessage(heartbeat(30_000)));
    }
  }
  assert.ok(next >= 30_000);
});
