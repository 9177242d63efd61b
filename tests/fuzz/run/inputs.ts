import { type Bytes, concatBytes, viewOf } from "../../../src/base/bytes.ts";
import type { Decoder } from "./decoder.ts";
import type { Rng } from "./rng.ts";

const NOISE_BYTES_MAX = 4_096;
/** Long inputs stay below it, whatever the decoder takes. */
const LONG_BYTES_MAX = 4 * 2 ** 20;
/** One of so many inputs is long, of the first ones and of the others. */
const LONG_OF_FIRST = 499;
const LONG_OF = 4_999;
const FIRST = 10_000;

/** Values that length fields and counts trip over. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000]
  .concat([0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]);

/**
 * Input number `at` for `decoder`: noise, changed valid bytes, nearly valid
 * ones, valid ones, or one as long as the decoder takes and longer.
 */
export function inputFor(decoder: Decoder, at: number, rng: Rng): Bytes {
  if (at % (at < FIRST ? LONG_OF_FIRST : LONG_OF) === 7) {
    return repaired(decoder, long(decoder, rng), rng);
  }
  if (rng.once(64)) return rng.pick(decoder.valid).slice();
  switch (rng.below(8)) {
    case 0:
      return noise(rng);
    case 1:
      return repaired(decoder, headed(decoder, rng), rng);
    case 2:
    case 3:
      if (decoder.near !== undefined) return decoder.near(rng);
      return repaired(decoder, edited(decoder.valid, rng, 1), rng);
    default:
      return repaired(
        decoder,
        edited(decoder.valid, rng, 1 + rng.below(4)),
        rng,
      );
  }
}

/** Mostly short: what is behind the first fields is seldom reached. */
function noise(rng: Rng): Bytes {
  return rng.bytes(rng.below(rng.once(4) ? NOISE_BYTES_MAX + 1 : 200));
}

/** The beginning of a valid input, then noise. */
function headed(decoder: Decoder, rng: Rng): Bytes {
  const valid = rng.pick(decoder.valid);
  return concatBytes(valid.subarray(0, rng.below(24)), noise(rng));
}

/** About as long as the decoder takes: noise, or one piece again and again. */
function long(decoder: Decoder, rng: Rng): Bytes {
  const bytesMax = Math.min(decoder.bytesMax, LONG_BYTES_MAX);
  const length = Math.max(
    NOISE_BYTES_MAX,
    (bytesMax >> 1) + rng.below((bytesMax >> 1) + (bytesMax >> 4) + 64),
  );
  const valid = rng.pick(decoder.valid);
  if (rng.once(3)) {
    return concatBytes(valid.subarray(0, rng.below(24)), rng.bytes(length));
  }
  const at = rng.below(valid.length);
  const piece = rng.once(3)
    ? Uint8Array.of(rng.below(128) & 0xf8 | 2, 0)
    : valid.subarray(at, at + 1 + rng.below(rng.once(2) ? 16 : valid.length));
  return tiled(valid.subarray(0, rng.once(2) ? at : 0), piece, length);
}

/** `head`, then `piece` as often as it takes. */
export function tiled(
  head: Uint8Array,
  piece: Uint8Array,
  length: number,
): Bytes {
  const bytes = new Uint8Array(Math.max(length, head.length));
  bytes.set(head);
  if (piece.length === 0) return bytes;
  for (let at = head.length; at < length; at += piece.length) {
    bytes.set(piece.subarray(0, length - at), at);
  }
  return bytes;
}

function repaired(decoder: Decoder, bytes: Bytes, rng: Rng): Bytes {
  const { repair } = decoder;
  return repair === undefined || rng.once(4) ? bytes : repair(bytes, rng);
}

/** A valid input after some edits. */
export function edited(
  valid: readonly Bytes[],
  rng: Rng,
  edits: number,
): Bytes {
  let bytes = rng.pick(valid).slice();
  for (let i = 0; i < edits; i += 1) bytes = edit(bytes, valid, rng);
  return bytes;
}

function edit(bytes: Bytes, valid: readonly Bytes[], rng: Rng): Bytes {
  const at = rng.below(bytes.length + 1);
  switch (rng.below(10)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return concatBytes(bytes, rng.bytes(1 + rng.below(rng.once(8) ? 64 : 4)));
    case 2: {
      const other = rng.pick(valid);
      const from = rng.below(other.length + 1);
      return concatBytes(bytes.subarray(0, at), other.subarray(from));
    }
    case 3:
      return concatBytes(
        bytes.subarray(0, at),
        rng.bytes(1 + rng.below(4)),
        bytes.subarray(at),
      );
    case 4:
      return concatBytes(
        bytes.subarray(0, at),
        bytes.subarray(at + 1 + rng.below(8)),
      );
    case 5:
      return concatBytes(
        bytes.subarray(0, at),
        bytes.subarray(at - rng.below(at + 1)),
      );
    case 6:
      return withNumber(bytes, at, rng);
    default:
      return withByte(bytes, at, rng);
  }
}

function withByte(bytes: Bytes, at: number, rng: Rng): Bytes {
  if (at === bytes.length) return bytes;
  const byte = bytes[at] as number;
  if (rng.once(2)) bytes[at] = byte ^ (1 << rng.below(8));
  else bytes[at] = rng.once(2) ? rng.u32() : byte + (rng.once(2) ? 1 : 255);
  return bytes;
}

/** Puts an edge where a length, a count or a varint may be. */
function withNumber(bytes: Bytes, at: number, rng: Rng): Bytes {
  const edge = rng.pick(EDGES);
  const view = viewOf(bytes);
  const room = bytes.length - at;
  const kind = rng.below(4);
  if (kind === 0 && room >= 2) view.setUint16(at, edge & 0xffff);
  else if (kind === 1 && room >= 4) view.setUint32(at, edge);
  else if (kind === 2 && room >= 8) {
    view.setUint32(at, rng.once(2) ? edge : 0);
    view.setUint32(at + 4, edge);
  } else {
    const varint = varintOf(rng.once(4) ? 2 ** 53 : edge);
    const over = Math.min(varint.length, room);
    const rest = bytes.subarray(at + (rng.once(2) ? over : 1));
    return concatBytes(bytes.subarray(0, at), varint, rest);
  }
  return bytes;
}

function varintOf(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push(rest % 0x80 | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Uint8Array.from([...bytes, rest]);
}
