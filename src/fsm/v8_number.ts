import type { Bytes } from "../base/bytes.ts";

/*
 * Numbers and bigints as V8's ValueSerializer writes them:
 *
 *     ff ‖ version varint ‖ 00 (padding, any number of times) ‖ tag ‖ …
 *     'I' zig-zag varint i32      'N' f64 little-endian
 *     'U' varint u32              'Z' bitfield varint ‖ digits little-endian
 *
 * Bit 0 of the bitfield is the sign, the rest is the digits' length in bytes, a
 * multiple of 8. Tags of numbers are the same in all versions of the format.
 */
const HEAD = 0xff;
const PADDING = 0x00;
const TAG_INT32 = 0x49;
const TAG_UINT32 = 0x55;
const TAG_DOUBLE = 0x4e;
const TAG_BIGINT = 0x5a;

/** What Node 20 writes: every reader of today takes it. */
const VERSION_WRITTEN = 15;

const UINT32_MAX = 2 ** 32 - 1;
const DIGIT_BYTES = 8;
const DOUBLE_BYTES = 8;
const HEX_PER_BYTE = 2;
/** Which NaN a platform computes differs; records must not. */
const NAN_HIGH_WORD = 0x7ff80000;

/** Returns the number or bigint in `data`, `null` when it is anything else. */
export function parseV8Number(data: Uint8Array): number | bigint | null {
  if (data[0] !== HEAD) return null;
  const version = readVarint32(data, 1);
  if (version === null) return null;
  let at = version.next;
  while (data[at] === PADDING) at += 1;
  const body = at + 1;
  switch (data[at]) {
    case TAG_INT32: {
      const zigzag = lastVarint32(data, body);
      return zigzag === null ? null : (zigzag >>> 1) ^ -(zigzag & 1);
    }
    case TAG_UINT32:
      return lastVarint32(data, body);
    case TAG_DOUBLE:
      return data.length === body + DOUBLE_BYTES
        ? new DataView(data.buffer, data.byteOffset + body).getFloat64(0, true)
        : null;
    case TAG_BIGINT:
      return parseBigint(data, body);
    default:
      return null;
  }
}

function parseBigint(data: Uint8Array, at: number): bigint | null {
  const bitfield = readVarint32(data, at);
  if (bitfield === null) return null;
  const length = bitfield.value >>> 1;
  if (length % DIGIT_BYTES !== 0 || data.length !== bitfield.next + length) {
    return null;
  }
  if (length === 0) return 0n;
  const magnitude = BigInt(
    `0x${data.slice(bitfield.next).reverse().toHex()}`,
  );
  return (bitfield.value & 1) === 1 ? -magnitude : magnitude;
}

interface Varint {
  readonly value: number;
  readonly next: number;
}

function readVarint32(data: Uint8Array, from: number): Varint | null {
  let value = 0;
  let scale = 1;
  for (let at = from; at < data.length && scale <= 2 ** 28; at += 1) {
    const byte = data[at] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      return value <= UINT32_MAX ? { value, next: at + 1 } : null;
    }
    scale *= 0x80;
  }
  return null;
}

function lastVarint32(data: Uint8Array, from: number): number | null {
  const varint = readVarint32(data, from);
  return varint?.next === data.length ? varint.value : null;
}

/** Returns V8's bytes of `value`, the same ones on every machine. */
export function encodeV8Number(value: number | bigint): Bytes {
  return typeof value === "bigint" ? encodeBigint(value) : encodeDouble(value);
}

function encodeDouble(value: number): Bytes {
  const bytes = new Uint8Array(3 + DOUBLE_BYTES);
  bytes.set([HEAD, VERSION_WRITTEN, TAG_DOUBLE]);
  const view = new DataView(bytes.buffer);
  if (Number.isNaN(value)) view.setUint32(7, NAN_HIGH_WORD, true);
  else view.setFloat64(3, value, true);
  return bytes;
}

function encodeBigint(value: bigint): Bytes {
  const magnitude = value < 0n ? -value : value;
  const hex = magnitude === 0n ? "" : magnitude.toString(16);
  const digits = Math.ceil(hex.length / (DIGIT_BYTES * HEX_PER_BYTE));
  const length = digits * DIGIT_BYTES;
  const head = [HEAD, VERSION_WRITTEN, TAG_BIGINT];
  let rest = length * 2 + (value < 0n ? 1 : 0);
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    head.push(rest % 0x80 | 0x80);
  }
  head.push(rest);
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  const bigEndian = hex.padStart(length * HEX_PER_BYTE, "0");
  bytes.set(Uint8Array.fromHex(bigEndian).reverse(), head.length);
  return bytes;
}
