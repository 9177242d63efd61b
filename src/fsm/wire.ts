import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { CommandMalformedError } from "./errors.ts";

/** Wire types of protobuf, the low three bits of a tag. */
const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

const CONTINUES = 0x80;

/**
 * Writes protobuf from the last byte to the first, so that a message's length
 * is known when its turn comes: no pass to measure, nothing moved.
 */
export class WireWriter {
  readonly #bytes: Bytes;
  #at: number;

  /** `capacity` is an upper bound of what is written. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#at = capacity;
  }

  /** Bytes so far. */
  get written(): number {
    return this.#bytes.length - this.#at;
  }

  /** `value` is a safe integer ≥ 0. */
  varint(value: number): void {
    let rest = value;
    let size = 1;
    for (let above = value; above >= CONTINUES; size += 1) {
      above = Math.floor(above / CONTINUES);
    }
    this.#at -= size;
    let at = this.#at;
    while (rest >= CONTINUES) {
      this.#bytes[at] = rest % CONTINUES | CONTINUES;
      rest = Math.floor(rest / CONTINUES);
      at += 1;
    }
    this.#bytes[at] = rest;
  }

  byte(value: number): void {
    this.#at -= 1;
    this.#bytes[this.#at] = value;
  }

  raw(bytes: Uint8Array): void {
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }

  /** Writes the field unless it has its default, as proto3 does. */
  numberField(field: number, value: number): void {
    if (value === 0) return;
    this.varint(value);
    this.byte(field << 3 | WIRE_VARINT);
  }

  /** Writes the field unless it has its default, as proto3 does. */
  bytesField(field: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.raw(bytes);
    this.varint(bytes.length);
    this.byte(field << 3 | WIRE_BYTES);
  }

  /** Heads the message that began when `written` was `since`. */
  messageHead(field: number, since: number): void {
    this.varint(this.written - since);
    this.byte(field << 3 | WIRE_BYTES);
  }

  /** Ends writing; the buffer may hold unused bytes before the result. */
  finish(): Bytes {
    assert(this.#at >= 0, "the capacity bounds what is written");
    return this.#bytes.subarray(this.#at);
  }
}

/**
 * Reads protobuf in its one canonical form: fields in ascending order, no
 * defaults written out, shortest varints. So a command has one encoding, and
 * what was read back is what was written.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, from: number) {
    this.bytes = bytes;
    this.at = from;
  }

  /** Reads a tag below 0x80: all fields here are numbered below 16. */
  tag(until: number): number {
    if (this.at >= until) throw this.malformed("it must not end early");
    const tag = this.bytes[this.at] as number;
    this.at += 1;
    return tag;
  }

  /** Returns a safe integer ≥ 0. */
  varint(until: number): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.at >= until) throw this.malformed("it must not end early");
      const byte = this.bytes[this.at] as number;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) {
        throw this.malformed("numbers must stay below 2^53");
      }
      if (byte < CONTINUES) {
        if (byte === 0 && scale > 1) {
          throw this.malformed("numbers must be as short as they can");
        }
        return value;
      }
      if (scale > Number.MAX_SAFE_INTEGER) {
        throw this.malformed("numbers must stay below 2^53");
      }
      scale *= CONTINUES;
    }
  }

  /** Reads a number that is written out only when it is not 0. */
  number(until: number): number {
    const value = this.varint(until);
    if (value === 0) throw this.malformed("defaults must be left out");
    return value;
  }

  /** Reads a length and returns where what it measures ends. */
  end(until: number): number {
    const length = this.varint(until);
    if (length > until - this.at) {
      throw this.malformed("it must not end early");
    }
    return this.at + length;
  }

  /** Returns a view of bytes that are written out only when there are any. */
  data(until: number): Uint8Array {
    const end = this.end(until);
    if (end === this.at) throw this.malformed("defaults must be left out");
    return this.rest(end);
  }

  /** Returns a view up to `end`, and goes there. */
  rest(end: number): Uint8Array {
    const data = this.bytes.subarray(this.at, end);
    this.at = end;
    return data;
  }

  malformed(rule: string): CommandMalformedError {
    return new CommandMalformedError(rule, this.at);
  }
}
