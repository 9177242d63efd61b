import { viewOf } from "../../base/bytes.ts";
import type { DiskFile } from "../../io/disk.ts";
import type { Anchor } from "../anchor.ts";
import { type DamagePlace, WalDamagedError } from "../errors.ts";
import {
  claimedPayloadBytes,
  FRAME_ALIGN_BYTES,
  FRAME_HEADER_BYTES,
  hasMagicAt,
  isZero,
  lastNonZero,
  openFrameHeader,
} from "../frame.ts";
import type { FrameRead } from "../frame_reader.ts";
import { ENTRY_RECORD_BYTES_MIN } from "../record.ts";
import type { ChainLink } from "../segment.ts";

const CHUNK_BYTES = 2 ** 20;
/** What a device writes as a whole or not at all, at the least. */
const SECTOR_BYTES = 512;
/** A torn sector keeps a prefix of whole words. */
const WORD_BYTES = 8;

/** A write that a crash cut short: nothing in it was acknowledged. */
export interface TornTail {
  readonly offset: number;
  /** Behind the last byte that is not 0. */
  readonly until: number;
  /** Entries the lost frame may have held, at most. */
  readonly entriesMax: number;
}

/** What recovery knows where the whole frames end. */
interface TailContext {
  readonly place: DamagePlace;
  readonly walId: number;
  readonly link: ChainLink;
  readonly anchor: Anchor | null;
}

/**
 * Decides what stands behind the last whole frame of the last segment:
 * nothing (`null`), or a torn write.
 *
 * It is torn only if nothing says that it was durable: no anchor, no clean
 * shutdown, no later frame; and only if a sector of it is still unwritten,
 * for a write that reached the disk whole and is bad has rotted.
 *
 * @throws {WalDamagedError} When it was durable.
 */
export async function classifyTail(
  file: DiskFile,
  size: number,
  read: FrameRead & { kind: "end" | "bad" },
  context: TailContext,
): Promise<TornTail | null> {
  const { place, anchor, link } = context;
  const rest = await surveyRest(file, size, read.offset, context);
  if (rest.until === read.offset) return null;
  const header = read.kind === "bad" ? read.header : null;
  const damage = (finding: string) => new WalDamagedError(place, finding);
  if (rest.laterSeq !== null) {
    throw damage(`it is no whole frame, but frame ${rest.laterSeq} follows`);
  }
  if (anchor !== null && anchor.frameSeq > link.frameSeq) {
    throw damage("it is no whole frame, but was durable");
  }
  if (anchor?.cleanShutdown === true && anchor.frameSeq === link.frameSeq) {
    throw damage("bytes follow a clean shutdown");
  }
  if (header !== null && header.frameSeq !== link.frameSeq + 1) {
    throw damage(`it holds frame ${header.frameSeq}`);
  }
  const span = FRAME_HEADER_BYTES + (header?.payloadBytes ?? 0);
  const most = Math.min(span, size - read.offset);
  if (read.kind === "bad" && !await hasUnwritten(file, read.offset, most)) {
    throw damage("it was written whole and has changed since");
  }
  const start = await file.readAt(read.offset, FRAME_HEADER_BYTES);
  const lostBytes = Math.max(
    claimedPayloadBytes(start),
    rest.until - read.offset,
  );
  return {
    offset: read.offset,
    until: rest.until,
    entriesMax: Math.ceil(lostBytes / ENTRY_RECORD_BYTES_MIN),
  };
}

/** Looks for the last byte that is not 0 and for the header of a later frame. */
async function surveyRest(
  file: DiskFile,
  size: number,
  offset: number,
  context: TailContext,
): Promise<{ readonly until: number; readonly laterSeq: number | null }> {
  let until = offset;
  for (let at = offset; at < size; at += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES + FRAME_HEADER_BYTES, size - at);
    const chunk = await file.readAt(at, length);
    const last = lastNonZero(chunk.subarray(0, CHUNK_BYTES));
    if (last === -1) continue;
    until = at + last + 1;
    const laterSeq = laterFrame(chunk, context);
    if (laterSeq !== null) return { until, laterSeq };
  }
  return { until, laterSeq: null };
}

function laterFrame(chunk: Uint8Array, context: TailContext): number | null {
  const view = viewOf(chunk);
  const end = chunk.length - FRAME_HEADER_BYTES;
  for (let at = 0; at <= end; at += FRAME_ALIGN_BYTES) {
    if (!hasMagicAt(view, at)) continue;
    const header = openFrameHeader(chunk.subarray(at));
    if (header === null || header.walId !== context.walId) continue;
    if (header.frameSeq > context.link.frameSeq + 1) return header.frameSeq;
  }
  return null;
}

/** Tells whether a sector of [offset, offset + length) ends in zeros. */
async function hasUnwritten(
  file: DiskFile,
  offset: number,
  length: number,
): Promise<boolean> {
  const until = offset + length;
  let at = offset;
  while (at < until) {
    // Chunks end where sectors do.
    const most = CHUNK_BYTES - at % SECTOR_BYTES;
    const chunk = await file.readAt(at, Math.min(most, until - at));
    if (chunk.length === 0) return true;
    let start = 0;
    while (start < chunk.length) {
      const left = SECTOR_BYTES - (at + start) % SECTOR_BYTES;
      const end = Math.min(start + left, chunk.length);
      const word = end - 1 - (end - 1) % WORD_BYTES;
      if (isZero(chunk.subarray(Math.max(start, word), end))) return true;
      start = end;
    }
    at += chunk.length;
  }
  return false;
}
