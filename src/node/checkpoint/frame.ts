import { assert } from "../../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import { CheckpointInterruptedError } from "./errors.ts";
import { CHECKPOINT_FRAME_BYTES_MAX, DIGEST_BYTES } from "./limits.ts";

/*
 * One frame of the stream is one frame here. Integers are big-endian.
 *
 *     type  name         from      body
 *     1     offer        sender    digest 32 ‖ bytes u64 ‖ index u64 ‖ term u64
 *     2     resume       receiver  offset u64
 *     3     have-enough  receiver  -
 *     4     busy         receiver  -
 *     5     refused      receiver  reason u8
 *     6     piece        sender    offset u64 ‖ CRC-32C of data u32 ‖ data 1..n
 *     7     end          sender    -
 *     8     working      receiver  -
 *     9     installed    receiver  -
 *     10    damaged      receiver  -
 *     11    failed       receiver  error code, 1..63 of A-Z 0-9 _
 *
 * The type is the first byte. A body has exactly the length shown.
 */
const TYPE_OFFER = 1;
const TYPE_RESUME = 2;
const TYPE_REFUSED = 5;
const TYPE_PIECE = 6;
const TYPE_FAILED = 11;

const BARE = new Map(
  [
    [3, "have-enough"],
    [4, "busy"],
    [7, "end"],
    [8, "working"],
    [9, "installed"],
    [10, "damaged"],
  ] as const,
);
const BARE_TYPES = new Map([...BARE].map(([type, name]) => [name, type]));

/** Why a member does not take a checkpoint; the wire has 1 + the index. */
const REFUSALS = ["not-leader", "too-large", "no-space", "stopping"] as const;
export type Refusal = (typeof REFUSALS)[number];

const OFFER_BYTES = 1 + DIGEST_BYTES + 3 * 8;
const RESUME_BYTES = 1 + 8;
const REFUSED_BYTES = 1 + 1;
/** What a piece adds to its data. */
export const PIECE_HEAD_BYTES = 1 + 8 + 4;
/** As long as any error code of ours. */
const CODE_BYTES_MAX = 63;

/** What the leader has to give. */
export interface Offer {
  readonly type: "offer";
  readonly digest: Bytes;
  /** Length of the file. */
  readonly bytes: number;
  /** Position in the log that the file's state is of. */
  readonly index: LogIndex;
  readonly term: Term;
}

/** Bytes of the file from `offset` on; views the frame. */
export interface Piece {
  readonly type: "piece";
  readonly offset: number;
  readonly data: Uint8Array;
}

type BareName = typeof BARE extends Map<number, infer Name> ? Name : never;

export type Frame =
  | Offer
  | { readonly type: "resume"; readonly offset: number }
  | { [Name in BareName]: { readonly type: Name } }[BareName]
  | { readonly type: "refused"; readonly reason: Refusal }
  | Piece
  | { readonly type: "failed"; readonly code: string };

/** Writes `frame`, whose parts are in range, as layout above. */
export function encodeFrame(frame: Frame): Bytes {
  switch (frame.type) {
    case "offer":
      return encodeOffer(frame);
    case "resume": {
      const bytes = typed(TYPE_RESUME, RESUME_BYTES);
      setUint64(viewOf(bytes), 1, frame.offset);
      return bytes;
    }
    case "refused": {
      const bytes = typed(TYPE_REFUSED, REFUSED_BYTES);
      bytes[1] = 1 + REFUSALS.indexOf(frame.reason);
      return bytes;
    }
    case "piece":
      return encodePiece(frame);
    case "failed": {
      assert(isCode(frame.code), "a failure is told by its code");
      return concatBytes(typed(TYPE_FAILED, 1), utf8(frame.code));
    }
    default: {
      const type = BARE_TYPES.get(frame.type);
      assert(type !== undefined, "a frame without a body has a type");
      return typed(type, 1);
    }
  }
}

/**
 * Reads one frame; a piece's data views `bytes`.
 *
 * @throws {CheckpointInterruptedError} For bytes that are no frame.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const frame = bytes.length > CHECKPOINT_FRAME_BYTES_MAX
    ? null
    : frameOf(bytes);
  if (frame === null) {
    throw new CheckpointInterruptedError("the other side sent a broken frame");
  }
  return frame;
}

function frameOf(bytes: Uint8Array): Frame | null {
  const type = bytes[0] ?? 0;
  const bare = (BARE as ReadonlyMap<number, BareName>).get(type);
  if (bare !== undefined) return bytes.length === 1 ? { type: bare } : null;
  switch (type) {
    case TYPE_OFFER:
      return decodeOffer(bytes);
    case TYPE_RESUME: {
      if (bytes.length !== RESUME_BYTES) return null;
      const offset = getUint64(viewOf(bytes), 1);
      return offset === null ? null : { type: "resume", offset };
    }
    case TYPE_REFUSED: {
      const reason = REFUSALS[(bytes[1] ?? 0) - 1];
      if (bytes.length !== REFUSED_BYTES || reason === undefined) return null;
      return { type: "refused", reason };
    }
    case TYPE_PIECE:
      return decodePiece(bytes);
    case TYPE_FAILED: {
      if (bytes.length > 1 + CODE_BYTES_MAX) return null;
      const code = String.fromCharCode(...bytes.subarray(1));
      return isCode(code) ? { type: "failed", code } : null;
    }
    default:
      return null;
  }
}

function encodeOffer({ digest, bytes: length, index, term }: Offer): Bytes {
  assert(digest.length === DIGEST_BYTES, "a digest has 32 bytes");
  const bytes = typed(TYPE_OFFER, OFFER_BYTES);
  bytes.set(digest, 1);
  const view = viewOf(bytes);
  [length, index, term].forEach((value, i) =>
    setUint64(view, 1 + DIGEST_BYTES + 8 * i, value)
  );
  return bytes;
}

function decodeOffer(bytes: Uint8Array): Offer | null {
  if (bytes.length !== OFFER_BYTES) return null;
  const view = viewOf(bytes);
  const at = 1 + DIGEST_BYTES;
  const length = getUint64(view, at);
  const index = getUint64(view, at + 8);
  const term = getUint64(view, at + 16);
  if (!length || !index || !term) return null;
  const digest = bytes.slice(1, at);
  return { type: "offer", digest, bytes: length, index, term };
}

function encodePiece({ offset, data }: Piece): Bytes {
  const length = PIECE_HEAD_BYTES + data.length;
  assert(data.length > 0, "a piece is not empty");
  assert(length <= CHECKPOINT_FRAME_BYTES_MAX, "a piece fits a frame");
  const bytes = typed(TYPE_PIECE, length);
  const view = viewOf(bytes);
  setUint64(view, 1, offset);
  view.setUint32(9, crc32c(data));
  bytes.set(data, PIECE_HEAD_BYTES);
  return bytes;
}

function decodePiece(bytes: Uint8Array): Piece | null {
  if (bytes.length <= PIECE_HEAD_BYTES) return null;
  const view = viewOf(bytes);
  const offset = getUint64(view, 1);
  const data = bytes.subarray(PIECE_HEAD_BYTES);
  if (offset === null || crc32c(data) !== view.getUint32(9)) return null;
  return { type: "piece", offset, data };
}

function typed(type: number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  bytes[0] = type;
  return bytes;
}

function isCode(text: string): boolean {
  return text.length <= CODE_BYTES_MAX && /^[A-Z0-9_]+$/.test(text);
}
