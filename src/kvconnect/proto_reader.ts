import { EMPTY_BYTES } from "../base/bytes.ts";
import { RequestInvalidError } from "./errors.ts";

/** Wire types of protobuf; 3 and 4 (groups) are refused. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const TWO_32 = 2 ** 32;

/**
 * Reads protobuf from outside, without a schema and without copies: byte
 * fields are views into the given bytes.
 *
 * One cursor serves nested messages: `enter` narrows the end to a message,
 * `leave` puts the outer end back. Every method throws on malformed input.
 *
 * @throws {RequestInvalidError} Truncated input, a varint over ten bytes, a
 * group, field number 0, or a field of another wire type than asked for.
 *
 * Source: protobuf.dev/programming-guides/encoding.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #end: number;
  #wireType = VARINT;
  /** Upper 32 bits of the varint read last; the lower were returned. */
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Number of the next field; 0 at the end of the message. */
  field(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.#varint();
    if (this.#high !== 0 || tag >>> 3 === 0) {
      throw malformed("a field number is out of range");
    }
    this.#wireType = tag & 7;
    return tag >>> 3;
  }

  /** Goes into the nested message at hand; returns the end for `leave`. */
  enter(): number {
    const outer = this.#end;
    this.#end = this.#length();
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  bytes(): Uint8Array {
    const until = this.#length();
    if (until === this.#at) return EMPTY_BYTES;
    const view = this.#bytes.subarray(this.#at, until);
    this.#at = until;
    return view;
  }

  /** An int32 or enum: the low 32 bits, as protobuf asks. */
  int32(): number {
    this.#expect(VARINT);
    return this.#varint() | 0;
  }

  /** An int64, clamped to the safe integers. */
  int64(): number {
    this.#expect(VARINT);
    const low = this.#varint();
    const value = (this.#high | 0) * TWO_32 + low;
    if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
    return Math.max(value, Number.MIN_SAFE_INTEGER);
  }

  bool(): boolean {
    this.#expect(VARINT);
    return this.#varint() !== 0 || this.#high !== 0;
  }

  /** Passes over a field this version does not know. */
  skip(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#varint();
        return;
      case FIXED64:
        this.#at = this.#within(8);
        return;
      case LENGTH:
        this.#at = this.#length();
        return;
      case FIXED32:
        this.#at = this.#within(4);
        return;
      default:
        throw malformed(`wire type ${this.#wireType} is not supported`);
    }
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw malformed("a field has the wrong wire type");
    }
  }

  /** Reads a length prefix; returns where its content ends. */
  #length(): number {
    this.#expect(LENGTH);
    const length = this.#varint();
    if (this.#high !== 0) throw malformed("the message is truncated");
    return this.#within(length);
  }

  #within(length: number): number {
    const until = this.#at + length;
    if (until > this.#end) throw malformed("the message is truncated");
    return until;
  }

  #varint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    const end = this.#end;
    this.#high = 0;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw malformed("the message is truncated");
      const byte = bytes[at] as number;
      at += 1;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at;
        return low >>> 0;
      }
    }
    this.#at = at;
    return this.#varintTail(low);
  }

  /** Bytes 5 to 10 of a varint whose first four gave `start`. */
  #varintTail(start: number): number {
    const middle = this.#byte();
    const low = start | (middle & 0x0f) << 28;
    let high = (middle & 0x70) >> 4;
    if (middle >= 0x80) {
      for (let shift = 3;; shift += 7) {
        const byte = this.#byte();
        if (shift === 31 && byte > 1) throw malformed("a varint is too long");
        high |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    this.#high = high >>> 0;
    return low >>> 0;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw malformed("the message is truncated");
    const byte = this.#bytes[this.#at] as number;
    this.#at += 1;
    return byte;
  }
}

function malformed(rule: string): RequestInvalidError {
  return new RequestInvalidError(`Invalid protobuf: ${rule}`);
}
