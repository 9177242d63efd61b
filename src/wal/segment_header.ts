import {
  type Bytes,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../base/bytes.ts";
import type { HardState, LogIndex, Term } from "../raft/types.ts";
import {
  type Floor,
  FLOOR_BYTES,
  HARD_STATE_BYTES,
  markBytes,
  readFloor,
  readHardState,
  readMark,
  type SnapshotMark,
  writeFloor,
  writeHardState,
  writeMark,
} from "./record.ts";

/** Layout of the files; another number is refused. */
export const WAL_FORMAT = 1;
export const CLUSTER_ID_BYTES = 16;
const NODE_NAME_BYTES_MAX = 63;

/*
 * Body of the SegmentHeader, the first sub-record of the first frame of a
 * segment; log id and chain are in that frame's own header.
 *
 *     offset  bytes  field
 *     0       2      format = 1
 *     2       16     cluster id, zeros until it is known
 *     18      8      segment sequence
 *     26      8      index of the next entry
 *     34      8      term of the entry before it
 *     42      24     hard state
 *     66      16     floor
 *     82      1      length of the node name
 *     83      n      node name, UTF-8
 *     83 + n         newest mark
 */
const FIXED_BYTES = 83;
const NAME_LENGTH_AT = 82;

/** All that must be known to read a log whose older segments are purged. */
export interface SegmentHeader {
  readonly format: number;
  readonly clusterId: Uint8Array;
  readonly nodeName: string;
  readonly sequence: number;
  /** Index of the entry that follows, unless an older one is replaced. */
  readonly nextIndex: LogIndex;
  readonly lastTerm: Term;
  readonly hardState: HardState;
  readonly floor: Floor;
  readonly mark: SnapshotMark;
}

export function encodeSegmentHeader(header: SegmentHeader): Bytes {
  const name = utf8(header.nodeName);
  const markAt = FIXED_BYTES + name.length;
  const body = new Uint8Array(markAt + markBytes(header.mark.metadata));
  const view = viewOf(body);
  view.setUint16(0, header.format);
  body.set(header.clusterId, 2);
  setUint64(view, 18, header.sequence);
  setUint64(view, 26, header.nextIndex);
  setUint64(view, 34, header.lastTerm);
  writeHardState(view, 42, header.hardState);
  writeFloor(view, 42 + HARD_STATE_BYTES, header.floor);
  view.setUint8(NAME_LENGTH_AT, name.length);
  body.set(name, FIXED_BYTES);
  writeMark(view, markAt, header.mark);
  return body;
}

/**
 * Reads what `encodeSegmentHeader` wrote; `null` for anything else.
 *
 * Of another format only `format` is read: the rest may lie elsewhere.
 */
export function decodeSegmentHeader(
  body: Uint8Array,
): SegmentHeader | { readonly format: number; readonly sequence: null } | null {
  if (body.length < 2) return null;
  const view = viewOf(body);
  const format = view.getUint16(0);
  if (format !== WAL_FORMAT) return { format, sequence: null };
  if (body.length < FIXED_BYTES) return null;
  const sequence = getUint64(view, 18);
  const nextIndex = getUint64(view, 26);
  const lastTerm = getUint64(view, 34);
  const hardState = readHardState(view, 42);
  const floor = readFloor(view, NAME_LENGTH_AT - FLOOR_BYTES);
  const nameLength = view.getUint8(NAME_LENGTH_AT);
  if (sequence === null || nextIndex === null || lastTerm === null) return null;
  if (hardState === null || floor === null) return null;
  const markAt = FIXED_BYTES + nameLength;
  if (nameLength > NODE_NAME_BYTES_MAX || markAt > body.length) return null;
  const nodeName = textOf(body.subarray(FIXED_BYTES, markAt));
  const read = readMark(view, markAt);
  if (nodeName === null || read === null) return null;
  if (read.until !== body.length) return null;
  return {
    format,
    clusterId: body.slice(2, 2 + CLUSTER_ID_BYTES),
    nodeName,
    sequence,
    nextIndex,
    lastTerm,
    hardState,
    floor,
    mark: read.mark,
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `null` for bytes that are not UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return null;
  }
}
