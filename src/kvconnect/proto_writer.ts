import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";

/** Bytes that `value` (0 to 2^32 - 1) takes as a varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Bytes that a field (number below 16) of `length` bytes takes. */
export function lengthFieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/**
 * Writes protobuf into a buffer whose size the caller computed beforehand.
 * Field numbers are below 16: a tag is one byte.
 */
export class ProtoWriter {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#at;
  }

  /** u32 little-endian, as KV Connect frames its watch messages. */
  uint32LittleEndian(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.#byte(value >>> shift);
  }

  varintField(field: number, value: number): void {
    this.#byte(field << 3);
    this.varint(value);
  }

  /** Tag and length of a nested message or bytes whose content follows. */
  lengthField(field: number, length: number): void {
    this.#byte(field << 3 | 2);
    this.varint(length);
  }

  bytesField(field: number, bytes: Uint8Array): void {
    this.lengthField(field, bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#byte(rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    this.#byte(rest);
  }

  /** What was written; the buffer is the caller's. */
  finish(): Bytes {
    assert(this.#at <= this.#bytes.length, "the reply fits its buffer");
    return this.#at === this.#bytes.length
      ? this.#bytes
      : this.#bytes.subarray(0, this.#at);
  }

  #byte(value: number): void {
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }
}
