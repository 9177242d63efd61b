import { assert } from "../base/assert.ts";
import { type Bytes, EMPTY_BYTES, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import { TransportFrameInvalidError } from "./errors.ts";

/*
 * A connection carries frames, both ways. Integers are big-endian.
 *
 *     offset  bytes  field
 *     0       4      body length
 *     4       1      type
 *     5       4      CRC-32C of bytes 0..5 and the body
 *     9       n      body
 */
export const FRAME_HEADER_BYTES = 9;

export const FRAME_HELLO = 1;
export const FRAME_CHALLENGE = 2;
export const FRAME_PROOF = 3;
export const FRAME_ACCEPTED = 4;
export const FRAME_REFUSED = 5;
/** Messages and packets: batch.ts. */
export const FRAME_BATCH = 6;
/** A sign of life, empty, from either end. */
export const FRAME_ALIVE = 7;
/** Bytes of a bulk transfer, one or more. */
export const FRAME_STREAM = 8;
/** The orderly end of a bulk transfer, empty. */
export const FRAME_STREAM_END = 9;

/** `body` belongs to whom the frame was given. */
export interface Frame {
  readonly type: number;
  readonly body: Bytes;
}

/**
 * Seals the frame whose body is already at `FRAME_HEADER_BYTES` of `frame` and
 * ends with it.
 */
export function sealFrame(frame: Uint8Array, type: number): void {
  const view = viewOf(frame);
  view.setUint32(0, frame.length - FRAME_HEADER_BYTES);
  view.setUint8(4, type);
  view.setUint32(5, frameCrc(frame, frame.subarray(FRAME_HEADER_BYTES)));
}

/** The frame around a copy of `body`. */
export function encodeFrame(
  type: number,
  body: Uint8Array = EMPTY_BYTES,
): Bytes {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  frame.set(body, FRAME_HEADER_BYTES);
  sealFrame(frame, type);
  return frame;
}

function frameCrc(header: Uint8Array, body: Uint8Array): number {
  return crc32c(body, crc32c(header.subarray(0, 5)));
}

/** The frame that is being put together. */
interface Started {
  readonly type: number;
  readonly crc: number;
  readonly body: Bytes;
  filled: number;
}

/**
 * Cuts a stream of bytes into frames.
 *
 * Keeps the chunks it is given: bodies are views of them where they can be. A
 * length is checked before anything is allocated for it.
 */
export class FrameReader {
  #frameBytesMax: number;
  #chunk: Bytes = EMPTY_BYTES;
  #at = 0;
  /** The start of a header that a chunk cut off. */
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerFilled = 0;
  #started: Started | null = null;

  /** `frameBytesMax` bounds a body. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bounds the bodies of frames that begin from now on. */
  allow(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes of the last chunk that no frame took yet. */
  get unread(): number {
    return this.#chunk.length - this.#at;
  }

  /** Adds what arrived; only when `next` has nothing more. */
  push(chunk: Bytes): void {
    assert(this.unread === 0, "a chunk is read to its end before the next");
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next whole frame; `null` when more bytes are needed.
   *
   * @throws {TransportFrameInvalidError} When it is too long or damaged; the
   * reader is of no use then.
   */
  next(): Frame | null {
    if (this.#started === null) {
      const header = this.#takeHeader();
      if (header === null) return null;
      const started = this.#open(header);
      const { body } = started;
      if (started.filled === body.length) return this.#finish(started);
      this.#started = started;
    }
    const started = this.#started;
    const { body } = started;
    const part = this.#take(body.length - started.filled);
    body.set(part, started.filled);
    started.filled += part.length;
    if (started.filled < body.length) return null;
    this.#started = null;
    return this.#finish(started);
  }

  /** The next header, whole; valid until the next call. */
  #takeHeader(): Uint8Array | null {
    if (this.#headerFilled === 0 && this.unread >= FRAME_HEADER_BYTES) {
      return this.#take(FRAME_HEADER_BYTES);
    }
    const part = this.#take(FRAME_HEADER_BYTES - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled < FRAME_HEADER_BYTES) return null;
    this.#headerFilled = 0;
    return this.#header;
  }

  #open(header: Uint8Array): Started {
    const view = viewOf(header);
    const length = view.getUint32(0);
    if (length > this.#frameBytesMax) {
      throw new TransportFrameInvalidError(
        `it has ${length} bytes, at most ${this.#frameBytesMax} are allowed`,
      );
    }
    const type = view.getUint8(4);
    const crc = view.getUint32(5);
    if (this.unread >= length) {
      const body = this.#take(length);
      return { type, crc, body, filled: length };
    }
    return { type, crc, body: new Uint8Array(length), filled: 0 };
  }

  #finish({ type, crc, body }: Started): Frame {
    const header = new Uint8Array(5);
    const view = viewOf(header);
    view.setUint32(0, body.length);
    view.setUint8(4, type);
    if (frameCrc(header, body) !== crc) {
      throw new TransportFrameInvalidError("its CRC does not match");
    }
    return { type, body };
  }

  /** Up to `length` bytes of the chunk, as a view. */
  #take(length: number): Bytes {
    const from = this.#at;
    this.#at = Math.min(from + length, this.#chunk.length);
    return this.#chunk.subarray(from, this.#at);
  }
}
