import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { type Bytes, utf8 } from "../../../src/base/bytes.ts";
import {
  decodeBatch,
  encodeBatch,
  type Outgoing,
  outgoingMessage,
  outgoingPacket,
} from "../../../src/transport/batch.ts";
import { TransportFrameInvalidError } from "../../../src/transport/errors.ts";
import {
  FRAME_BATCH,
  FRAME_HEADER_BYTES,
  FrameReader,
} from "../../../src/transport/frame.ts";
import { PACKET_BYTES_MAX } from "../../../src/transport/limits.ts";
import { append, entryAt, heartbeat } from "./messages.ts";

function bodyOf(parts: readonly Outgoing[]): Bytes {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const reader = new FrameReader(2 * PACKET_BYTES_MAX);
  reader.push(encodeBatch(parts, bytes));
  const frame = reader.next();
  assert.equal(frame?.type, FRAME_BATCH);
  return frame.body;
}

Deno.test("decodeBatch() gives parts in the order they were put in", () => {
  const message = append([entryAt(42, utf8("data"))]);
  const body = bodyOf([
    outgoingMessage(heartbeat(1)),
    outgoingPacket(utf8("packet")),
    outgoingMessage(message),
    outgoingPacket(new Uint8Array(0)),
  ]);
  assert.deepEqual([...decodeBatch(body)], [
    { kind: "message", message: heartbeat(1) },
    { kind: "packet", packet: utf8("packet") },
    { kind: "message", message },
    { kind: "packet", packet: new Uint8Array(0) },
  ]);
});

Deno.test("outgoingPacket() copies, for the caller may go on with it", () => {
  const packet = utf8("packet");
  const item = outgoingPacket(packet);
  packet.fill(0);
  assert.deepEqual([...decodeBatch(bodyOf([item]))], [
    { kind: "packet", packet: utf8("packet") },
  ]);
});

Deno.test("decodeBatch() refuses what is cut, unknown or too long", () => {
  const body = bodyOf([outgoingPacket(utf8("packet"))]);
  for (let length = 1; length < body.length; length += 1) {
    assert.throws(
      () => [...decodeBatch(body.slice(0, length))],
      TransportFrameInvalidError,
    );
  }
  const unknown = body.slice();
  unknown[0] = 3;
  assert.throws(() => [...decodeBatch(unknown)], TransportFrameInvalidError);
  const most = bodyOf([outgoingPacket(new Uint8Array(PACKET_BYTES_MAX))]);
  assert.equal([...decodeBatch(most)].length, 1);
  const longer = new Uint8Array(most.length + 1);
  longer.set(most);
  new DataView(longer.buffer).setUint32(1, PACKET_BYTES_MAX + 1);
  assert.throws(() => [...decodeBatch(longer)], TransportFrameInvalidError);
});

Deno.test("decodeBatch() gives what comes before a bad part", () => {
  const body = bodyOf([
    outgoingMessage(heartbeat(1)),
    outgoingPacket(utf8("x")),
  ]);
  body[outgoingMessage(heartbeat(1)).bytes] = 9;
  const parts = decodeBatch(body);
  assert.equal(parts.next().value?.kind, "message");
  assert.throws(() => parts.next(), TransportFrameInvalidError);
});

Deno.test("outgoingMessage() asserts what the layout can hold", () => {
  const message = { ...heartbeat(1), context: new Uint8Array(1025) };
  assert.throws(() => outgoingMessage(message), InvariantError);
  const { bytes } = outgoingMessage(heartbeat(1));
  assert.equal(
    encodeBatch([outgoingMessage(heartbeat(1))], bytes).length,
    FRAME_HEADER_BYTES + bytes,
  );
});
