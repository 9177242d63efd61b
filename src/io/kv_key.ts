import { assert, unreachable } from "../base/assert.ts";
import { type Bytes, viewOf } from "../base/bytes.ts";
import type { KvKey, KvPart } from "./kv.ts";

const TAG_BYTES = 0x01;
const TAG_STRING = 0x02;
const TAG_BIGINT_ZERO = 0x14;
const TAG_NUMBER = 0x21;
const TAG_FALSE = 0x26;
const TAG_TRUE = 0x27;
const ESCAPE = 0xff;
const BIGINT_SHORT_BYTES_MAX = 8;
const BIGINT_BYTES_MAX = 255;

const encoder = new TextEncoder();

/**
 * The order of rows: keys compare as these bytes.
 *
 *     part     bytes
 *     bytes    01 ‖ data, each 00 written 00 ff ‖ 00
 *     string   02 ‖ UTF-8, same escape ‖ 00
 *     bigint   14 + n ‖ n magnitude bytes (n ≤ 8); 14 - n ‖ complement below 0;
 *              1d ‖ n ‖ magnitude, 0b ‖ ~n ‖ complement up to 255 bytes
 *     number   21 ‖ IEEE-754 big-endian, sign flipped, all flipped below 0
 *     boolean  26, 27
 *
 * Source: kvconnect.md §3.1 (FoundationDB tuple layer).
 */
export function encodeKvKey(key: KvKey): Bytes {
  const bytes = new Uint8Array(kvKeyBytes(key));
  let at = 0;
  for (const part of key) at = writePart(bytes, at, part);
  assert(at === bytes.length, "a key has its computed length");
  return bytes;
}

/** Length of `encodeKvKey(key)`, without making it. */
export function kvKeyBytes(key: KvKey): number {
  let length = 0;
  for (const part of key) length += partBytes(part);
  return length;
}

/** Length of `bytes` when each 00 takes two. */
export function escapedBytes(bytes: Uint8Array): number {
  let zeros = 0;
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) {
    zeros += 1;
  }
  return bytes.length + zeros;
}

function partBytes(part: KvPart): number {
  if (part instanceof Uint8Array) return escapedBytes(part) + 2;
  switch (typeof part) {
    case "string":
      return escapedBytes(encoder.encode(part)) + 2;
    case "bigint": {
      const count = magnitudeBytes(part);
      return count > BIGINT_SHORT_BYTES_MAX ? count + 2 : count + 1;
    }
    case "number":
      return 9;
    case "boolean":
      return 1;
    default:
      return unreachable(part);
  }
}

function writePart(into: Uint8Array, at: number, part: KvPart): number {
  if (part instanceof Uint8Array) return writeBytes(into, at, TAG_BYTES, part);
  switch (typeof part) {
    case "string":
      return writeBytes(into, at, TAG_STRING, encoder.encode(part));
    case "bigint":
      return writeBigint(into, at, part);
    case "number":
      return writeNumber(into, at, part);
    case "boolean":
      into[at] = part ? TAG_TRUE : TAG_FALSE;
      return at + 1;
    default:
      return unreachable(part);
  }
}

function writeBytes(
  into: Uint8Array,
  at: number,
  tag: number,
  data: Uint8Array,
): number {
  into[at] = tag;
  let to = at + 1;
  let from = 0;
  for (let zero = data.indexOf(0); zero >= 0; zero = data.indexOf(0, from)) {
    into.set(data.subarray(from, zero + 1), to);
    to += zero + 1 - from;
    into[to] = ESCAPE;
    to += 1;
    from = zero + 1;
  }
  into.set(data.subarray(from), to);
  // The terminating 00 is there: fresh bytes are zero.
  return to + data.length - from + 1;
}

function writeBigint(into: Uint8Array, at: number, value: bigint): number {
  const count = magnitudeBytes(value);
  const flip = value < 0n ? 0xff : 0;
  let to = at;
  if (count > BIGINT_SHORT_BYTES_MAX) {
    assert(count <= BIGINT_BYTES_MAX, "a bigint part has at most 255 bytes");
    into[to] = flip === 0 ? 0x1d : 0x0b;
    into[to + 1] = count ^ flip;
    to += 2;
  } else {
    into[to] = TAG_BIGINT_ZERO + (flip === 0 ? count : -count);
    to += 1;
  }
  const hex = magnitudeHex(value);
  for (let i = 0; i < count; i += 1) {
    into[to + i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16) ^ flip;
  }
  return to + count;
}

function magnitudeBytes(value: bigint): number {
  return value === 0n ? 0 : magnitudeHex(value).length / 2;
}

function magnitudeHex(value: bigint): string {
  const hex = (value < 0n ? -value : value).toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

function writeNumber(into: Uint8Array, at: number, value: number): number {
  const view = viewOf(into);
  into[at] = TAG_NUMBER;
  view.setFloat64(at + 1, value);
  const negative = (view.getUint8(at + 1) & 0x80) !== 0;
  if (!negative) view.setUint8(at + 1, view.getUint8(at + 1) ^ 0x80);
  else for (let i = 1; i <= 8; i += 1) into[at + i] = ~view.getUint8(at + i);
  return at + 9;
}
