import type { Bytes } from "../base/bytes.ts";
import { viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import type { RecordKey } from "../fsm/types.ts";

export const RECORD_HEADER_BYTES = 21;

/** State bits 0-1 of a record: how its body is kept. */
export const STATE_CLEARTEXT = 0;
export const STATE_SEALED = 1;

/**
 * Makes and opens bodies of records. The body vouches for its header and its
 * place (database number u32 ‖ client's key) too.
 *
 * `row` is a whole record with its header in the 21 bytes before `bodyAt`.
 */
export interface RecordSealer {
  readonly state: typeof STATE_CLEARTEXT | typeof STATE_SEALED;
  /** Length of a body over its plaintext. */
  readonly overheadBytes: number;
  /** Fills `row` from `bodyAt` to its end. */
  seal(
    row: Bytes,
    bodyAt: number,
    place: RecordKey,
    plaintext: Uint8Array,
  ): void | Promise<void>;
  /** The plaintext, a view into `row` or fresh; `null` for changed bytes. */
  open(
    row: Uint8Array,
    bodyAt: number,
    place: RecordKey,
  ): Uint8Array | null | Promise<Uint8Array | null>;
}

const CHECKSUM_BYTES = 4;

/**
 * Keeps bodies in cleartext, so that damage is found although no tag is there.
 *
 *     body = plaintext ‖ CRC-32C (header ‖ place ‖ plaintext)
 */
export class CleartextSealer implements RecordSealer {
  readonly state = STATE_CLEARTEXT;
  readonly overheadBytes = CHECKSUM_BYTES;

  seal(
    row: Bytes,
    bodyAt: number,
    place: RecordKey,
    plaintext: Uint8Array,
  ): void {
    row.set(plaintext, bodyAt);
    const until = row.length - CHECKSUM_BYTES;
    viewOf(row).setUint32(until, checksum(row, bodyAt, place));
  }

  open(
    row: Uint8Array,
    bodyAt: number,
    place: RecordKey,
  ): Uint8Array | null {
    const until = row.length - CHECKSUM_BYTES;
    if (until < bodyAt) return null;
    const stored = viewOf(row).getUint32(until);
    if (stored !== checksum(row, bodyAt, place)) return null;
    return row.subarray(bodyAt, until);
  }
}

const databaseBytes = new Uint8Array(4);
const databaseView = viewOf(databaseBytes);

function checksum(row: Uint8Array, bodyAt: number, place: RecordKey): number {
  databaseView.setUint32(0, place.database);
  let crc = crc32c(row.subarray(bodyAt - RECORD_HEADER_BYTES, bodyAt));
  crc = crc32c(databaseBytes, crc);
  crc = crc32c(place.key, crc);
  return crc32c(row.subarray(bodyAt, row.length - CHECKSUM_BYTES), crc);
}
