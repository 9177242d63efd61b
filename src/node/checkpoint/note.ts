import {
  type Bytes,
  equalBytes,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import type { LogIndex } from "../../raft/types.ts";
import { DIGEST_BYTES } from "./limits.ts";

/*
 * `incoming.note` says what `incoming.part` is. Integers are big-endian.
 *
 *     offset  bytes  field
 *     0       8      magic "SKIN" ‖ format u32 = 1
 *     8       32     digest of the file that is being received
 *     40      8      length of the whole file
 *     48      8      index of the state that the file holds
 *     56      8      bytes of the part that are synced
 *     64      4      CRC-32C of bytes 0..64
 */
const MAGIC = Uint8Array.from([...utf8("SKIN"), 0, 0, 0, 1]);
const DIGEST_AT = MAGIC.length;
const TOTAL_AT = DIGEST_AT + DIGEST_BYTES;
const INDEX_AT = TOTAL_AT + 8;
const SYNCED_AT = INDEX_AT + 8;
const CRC_AT = SYNCED_AT + 8;
export const NOTE_BYTES = CRC_AT + 4;

/** What a part file holds. */
export interface PartNote {
  readonly digest: Bytes;
  readonly total: number;
  readonly index: LogIndex;
  /** 0 to `total`. */
  readonly synced: number;
}

export function encodeNote(
  { digest, total, index, synced }: PartNote,
): Bytes {
  const bytes = new Uint8Array(NOTE_BYTES);
  bytes.set(MAGIC);
  bytes.set(digest, DIGEST_AT);
  const view = viewOf(bytes);
  setUint64(view, TOTAL_AT, total);
  setUint64(view, INDEX_AT, index);
  setUint64(view, SYNCED_AT, synced);
  view.setUint32(CRC_AT, crc32c(bytes.subarray(0, CRC_AT)));
  return bytes;
}

/** `null` for anything but a note: a crash may have torn it. */
export function decodeNote(bytes: Uint8Array): PartNote | null {
  if (bytes.length !== NOTE_BYTES) return null;
  if (!equalBytes(bytes.subarray(0, DIGEST_AT), MAGIC)) return null;
  const view = viewOf(bytes);
  if (crc32c(bytes.subarray(0, CRC_AT)) !== view.getUint32(CRC_AT)) return null;
  const total = getUint64(view, TOTAL_AT);
  const index = getUint64(view, INDEX_AT);
  const synced = getUint64(view, SYNCED_AT);
  if (total === null || index === null || synced === null) return null;
  if (synced > total) return null;
  return { digest: bytes.slice(DIGEST_AT, TOTAL_AT), total, index, synced };
}
