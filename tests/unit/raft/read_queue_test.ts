import { strict as assert } from "node:assert";
import { draftMessage, MSG_READ_INDEX } from "../../../src/raft/message.ts";
import {
  decodePosition,
  encodePosition,
  ReadQueue,
} from "../../../src/raft/read_queue.ts";

const HALVES = { voters: [1, 2, 3], votersOutgoing: [] };

Deno.test("release() gives out what a quorum has seen, in order", () => {
  const queue = filled(3);
  queue.ack(1, 3);
  assert.deepEqual(released(queue), []);
  queue.ack(2, 2);
  assert.deepEqual(released(queue), [101, 102]);
  assert.equal(queue.position, 3, "a position never changes its meaning");
  queue.ack(3, 3);
  assert.deepEqual(released(queue), [103]);
  assert.deepEqual(released(queue), []);
});

Deno.test("release() needs both halves of a joint config", () => {
  const halves = { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] };
  const queue = filled(1);
  for (const id of [1, 2, 3]) queue.ack(id, 1);
  assert.deepEqual(queue.release(halves), []);
  queue.ack(4, 1);
  assert.equal(queue.release(halves).length, 1);
});

Deno.test("ack() ignores what was never asked, and what is older", () => {
  const queue = filled(2);
  queue.ack(2, 9);
  queue.ack(3, 9);
  assert.deepEqual(released(queue), []);
  queue.ack(2, 2);
  queue.ack(2, 1);
  queue.ack(3, 2);
  assert.deepEqual(released(queue), [101, 102]);
});

// B61: an answer to an earlier read must not confirm a later one, even when
// the caller used its token again.
Deno.test("ack() of an earlier position confirms nothing later", () => {
  const queue = filled(1);
  const early = decodePosition(queue.context()) ?? 0;
  queue.add(read(102));
  queue.ack(1, 2);
  queue.ack(2, early);
  assert.deepEqual(released(queue), [101]);
});

Deno.test("context() carries the position of the newest waiting read", () => {
  const queue = new ReadQueue();
  assert.equal(queue.context().length, 0);
  queue.add(read(1));
  queue.add(read(2));
  assert.deepEqual([...queue.context()], [2, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("decodePosition() reads back what was written, and nothing else", () => {
  for (const position of [0, 1, 255, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    assert.equal(decodePosition(encodePosition(position)), position);
  }
  assert.equal(decodePosition(new Uint8Array(7)), null);
  assert.equal(decodePosition(new Uint8Array(9)), null);
  assert.equal(decodePosition(new Uint8Array(8).fill(0xff)), null);
});

function filled(count: number): ReadQueue {
  const queue = new ReadQueue();
  for (let nth = 1; nth <= count; nth += 1) queue.add(read(100 + nth));
  return queue;
}

function read(index: number) {
  return { request: draftMessage(MSG_READ_INDEX, 1), index };
}

function released(queue: ReadQueue): readonly number[] {
  return queue.release(HALVES).map(({ index }) => index);
}
