import type { LogIndex } from "../raft/types.ts";
import { FRAME_HEADER_BYTES, frameBytes, sealFrame } from "./frame.ts";
import { RECORD_HEADER_BYTES, RecordWriter } from "./record.ts";
import { encodeSegmentHeader, type SegmentHeader } from "./segment_header.ts";

/** Segments grow to this; a small node stays small. */
export const SEGMENT_BYTES = 64 * 2 ** 20;
const FIRST_SEGMENT_BYTES = 4 * 2 ** 20;
const GROWTH = 4;

const SEGMENT_NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.seg$/;
const TORN = ".torn";
const SPARE_NAME = /^next-[0-9]\.tmp$/;

/** One file of the log. */
export interface Segment {
  readonly sequence: number;
  readonly name: string;
  /** Entries before this index that live are in older segments. */
  readonly nextIndex: LogIndex;
}

/** Name of a segment: `{sequence}-{nextIndex}.seg`, both 16 hex digits. */
export function segmentName(sequence: number, nextIndex: LogIndex): string {
  return `${hex16(sequence)}-${hex16(nextIndex)}.seg`;
}

/** Reads what `segmentName` wrote; `null` for any other name. */
export function parseSegmentName(name: string): Segment | null {
  const match = SEGMENT_NAME.exec(name);
  if (match === null) return null;
  const sequence = Number.parseInt(match[1] ?? "", 16);
  const nextIndex = Number.parseInt(match[2] ?? "", 16);
  if (!Number.isSafeInteger(sequence)) return null;
  return Number.isSafeInteger(nextIndex) ? { sequence, name, nextIndex } : null;
}

/** Tells whether `name` is a prepared file that no log refers to. */
export function isSpareName(name: string): boolean {
  return SPARE_NAME.test(name);
}

/** Name of the copy of a torn tail that began at `offset`. */
export function tornName({ name }: Segment, offset: number): string {
  return `${name.replace(/\.seg$/, "")}-${offset}${TORN}`;
}

/** Tells whether `tornName` gave `name`. */
export function isTornName(name: string): boolean {
  return name.endsWith(TORN);
}

/**
 * Length of segment `sequence`: 4 MiB for the first, four times as much for
 * each after it, up to `segmentBytes`.
 */
export function segmentCapacity(
  sequence: number,
  segmentBytes: number,
): number {
  const exponent = Math.min(sequence - 1, 16);
  return Math.min(segmentBytes, FIRST_SEGMENT_BYTES * GROWTH ** exponent);
}

/** A log's place in its chain of frames. */
export interface ChainLink {
  readonly frameSeq: number;
  readonly frameCrc: number;
}

/** Makes the first frame of a segment, which follows `previous`. */
export function segmentHeaderFrame(
  header: SegmentHeader,
  walId: number,
  previous: ChainLink,
): { readonly frame: Uint8Array; readonly link: ChainLink } {
  const body = encodeSegmentHeader(header);
  const payloadBytes = RECORD_HEADER_BYTES + body.length;
  const frame = new Uint8Array(frameBytes(payloadBytes));
  new RecordWriter(frame, FRAME_HEADER_BYTES).segmentHeader(body);
  const frameSeq = previous.frameSeq + 1;
  const frameCrc = sealFrame(frame, {
    payloadBytes,
    frameSeq,
    durableSeq: previous.frameSeq,
    walId,
    previousCrc: previous.frameCrc,
  });
  return { frame, link: { frameSeq, frameCrc } };
}

function hex16(value: number): string {
  return value.toString(16).padStart(16, "0");
}
