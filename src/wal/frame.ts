import { assert } from "../base/assert.ts";
import { getUint64, setUint64, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";

/*
 * One frame is one write and one sync. Integers are big-endian.
 *
 *     offset  bytes  field
 *     0       4      magic "SKWF"
 *     4       4      payload length
 *     8       8      frame sequence, +1 per frame, across segments
 *     16      8      highest frame sequence durable when this was written
 *     24      4      log id, random per log
 *     28      4      header CRC of the frame before (0 for the first)
 *     32      4      CRC-32C of the payload
 *     36      4      CRC-32C of bytes 0..36
 *     40      n      payload: sub-records
 *     40 + n  0..7   zeros up to a multiple of 8
 *
 * Source: raft.md §4.3.
 */
export const FRAME_HEADER_BYTES = 40;
export const FRAME_ALIGN_BYTES = 8;
/** Far above a group (4 MiB): one persist batch is never split. */
export const FRAME_PAYLOAD_BYTES_MAX = 64 * 2 ** 20;

const MAGIC = 0x534b5746;

export interface FrameHeader {
  readonly payloadBytes: number;
  readonly frameSeq: number;
  readonly durableSeq: number;
  readonly walId: number;
  readonly previousCrc: number;
  readonly payloadCrc: number;
  /** CRC of this header, over the payload's CRC too: the next frame's link. */
  readonly headerCrc: number;
}

/** Bytes that a frame around `payloadBytes` takes in its segment. */
export function frameBytes(payloadBytes: number): number {
  const whole = FRAME_HEADER_BYTES + payloadBytes;
  return Math.ceil(whole / FRAME_ALIGN_BYTES) * FRAME_ALIGN_BYTES;
}

/**
 * Seals the frame whose payload is already at `FRAME_HEADER_BYTES` of `frame`:
 * fills in the header and the padding, returns the header's CRC.
 *
 * `frame` has exactly `frameBytes(payloadBytes)` bytes.
 */
export function sealFrame(
  frame: Uint8Array,
  header: Omit<FrameHeader, "payloadCrc" | "headerCrc">,
): number {
  const { payloadBytes } = header;
  assert(payloadBytes <= FRAME_PAYLOAD_BYTES_MAX, "a payload fits a frame");
  assert(frame.length === frameBytes(payloadBytes), "a frame is padded to 8");
  const payloadEnd = FRAME_HEADER_BYTES + payloadBytes;
  frame.fill(0, payloadEnd);
  const view = viewOf(frame);
  view.setUint32(0, MAGIC);
  view.setUint32(4, payloadBytes);
  setUint64(view, 8, header.frameSeq);
  setUint64(view, 16, header.durableSeq);
  view.setUint32(24, header.walId);
  view.setUint32(28, header.previousCrc);
  view.setUint32(32, crc32c(frame.subarray(FRAME_HEADER_BYTES, payloadEnd)));
  const headerCrc = crc32c(frame.subarray(0, 36));
  view.setUint32(36, headerCrc);
  return headerCrc;
}

/**
 * Reads the header at the start of `bytes`; `null` when it is not one.
 *
 * Checks the header alone: sequence, chain and payload are the reader's.
 */
export function openFrameHeader(bytes: Uint8Array): FrameHeader | null {
  if (bytes.length < FRAME_HEADER_BYTES) return null;
  const view = viewOf(bytes);
  if (view.getUint32(0) !== MAGIC) return null;
  const headerCrc = view.getUint32(36);
  if (crc32c(bytes.subarray(0, 36)) !== headerCrc) return null;
  const payloadBytes = view.getUint32(4);
  if (payloadBytes > FRAME_PAYLOAD_BYTES_MAX) return null;
  const frameSeq = getUint64(view, 8);
  const durableSeq = getUint64(view, 16);
  if (frameSeq === null || durableSeq === null) return null;
  return {
    payloadBytes,
    frameSeq,
    durableSeq,
    walId: view.getUint32(24),
    previousCrc: view.getUint32(28),
    payloadCrc: view.getUint32(32),
    headerCrc,
  };
}

/** The payload length that a damaged header at `bytes` claims, at most. */
export function claimedPayloadBytes(bytes: Uint8Array): number {
  if (bytes.length < 8) return 0;
  const claimed = viewOf(bytes).getUint32(4);
  return claimed > FRAME_PAYLOAD_BYTES_MAX ? 0 : claimed;
}

/** Tells whether `payload` and the padding after it are as they were sealed. */
export function frameBodyHolds(
  header: FrameHeader,
  body: Uint8Array,
): boolean {
  const payload = body.subarray(0, header.payloadBytes);
  if (crc32c(payload) !== header.payloadCrc) return false;
  return isZero(body.subarray(header.payloadBytes));
}

/** Tells whether every byte is 0. */
export function isZero(bytes: Uint8Array): boolean {
  return lastNonZero(bytes) === -1;
}

/** Offset of the last byte that is not 0, or -1. */
export function lastNonZero(bytes: Uint8Array): number {
  let end = bytes.length;
  // Whole words first: the unused part of a segment is long and all zeros.
  while (end > 0 && (bytes.byteOffset + end) % 4 !== 0) {
    end -= 1;
    if (bytes[end] !== 0) return end;
  }
  if (end === 0) return -1;
  const wordCount = end >> 2;
  const start = bytes.byteOffset + end - wordCount * 4;
  const words = new Int32Array(bytes.buffer, start, wordCount);
  let word = wordCount - 1;
  while (word >= 0 && words[word] === 0) word -= 1;
  const stop = word < 0
    ? end - wordCount * 4
    : end - (wordCount - 1 - word) * 4;
  for (let i = stop - 1; i >= 0; i -= 1) {
    if (bytes[i] !== 0) return i;
  }
  return -1;
}

/** Tells whether `bytes` may hold a frame's magic at `at`. */
export function hasMagicAt(view: DataView, at: number): boolean {
  return view.getUint32(at) === MAGIC;
}
