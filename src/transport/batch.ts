import { assert } from "../base/assert.ts";
import { type Bytes, viewOf } from "../base/bytes.ts";
import type { Message } from "../raft/message.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import { FRAME_BATCH, FRAME_HEADER_BYTES, sealFrame } from "./frame.ts";
import { CONTEXT_BYTES_MAX, PACKET_BYTES_MAX } from "./limits.ts";
import { decodeMessage, messageBytes, writeMessage } from "./message_codec.ts";

/*
 * The body of a batch frame: parts in the order in which they were sent.
 *
 *     kind u8 (1 message, 2 packet) ‖ length u32 ‖ bytes
 */
const PART_MESSAGE = 1;
const PART_PACKET = 2;
const PART_HEADER_BYTES = 5;

/** Something that waits to be sent; `bytes` is its size in a frame. */
export type Outgoing =
  | {
    readonly kind: "message";
    readonly message: Message;
    readonly bytes: number;
  }
  | {
    readonly kind: "packet";
    readonly packet: Uint8Array;
    readonly bytes: number;
  };

/** Keeps `message`, which nobody changes. */
export function outgoingMessage(message: Message): Outgoing {
  assert(message.context.length <= CONTEXT_BYTES_MAX, "a context is short");
  const bytes = PART_HEADER_BYTES + messageBytes(message);
  return { kind: "message", message, bytes };
}

/** Copies `packet`, of at most PACKET_BYTES_MAX. */
export function outgoingPacket(packet: Uint8Array): Outgoing {
  assert(packet.length <= PACKET_BYTES_MAX, "a packet fits its limit");
  const bytes = PART_HEADER_BYTES + packet.length;
  return { kind: "packet", packet: packet.slice(), bytes };
}

/** One frame of `parts`, which take `bytes` together. */
export function encodeBatch(parts: readonly Outgoing[], bytes: number): Bytes {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + bytes);
  const view = viewOf(frame);
  let at = FRAME_HEADER_BYTES;
  for (const part of parts) {
    const isMessage = part.kind === "message";
    view.setUint8(at, isMessage ? PART_MESSAGE : PART_PACKET);
    view.setUint32(at + 1, part.bytes - PART_HEADER_BYTES);
    const bodyAt = at + PART_HEADER_BYTES;
    if (isMessage) writeMessage(frame, bodyAt, part.message);
    else frame.set(part.packet, bodyAt);
    at += part.bytes;
  }
  assert(at === frame.length, "the parts fill their frame");
  sealFrame(frame, FRAME_BATCH);
  return frame;
}

/** Something that was received; its bytes are views of the frame. */
export type Incoming =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "packet"; readonly packet: Bytes };

/**
 * Reads a batch from `body`, one part per step.
 *
 * @throws {TransportFrameInvalidError} At the first part that is not one.
 */
export function* decodeBatch(body: Bytes): Generator<Incoming> {
  const view = viewOf(body);
  for (let at = 0; at < body.length;) {
    if (body.length - at < PART_HEADER_BYTES) throw invalid("a part is cut");
    const kind = view.getUint8(at);
    const length = view.getUint32(at + 1);
    at += PART_HEADER_BYTES;
    if (length > body.length - at) throw invalid("a part is cut");
    const part = body.subarray(at, at + length);
    if (kind === PART_MESSAGE) {
      yield { kind: "message", message: decodeMessage(part) };
    } else if (kind === PART_PACKET) {
      if (length > PACKET_BYTES_MAX) throw invalid("a packet is too long");
      yield { kind: "packet", packet: part };
    } else throw invalid(`a part of kind ${kind} is unknown`);
    at += length;
  }
}

function invalid(finding: string): TransportFrameInvalidError {
  return new TransportFrameInvalidError(`a batch: ${finding}`);
}
