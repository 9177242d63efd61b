import type { Bytes } from "../base/bytes.ts";
import { viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import type { RecordKey } from "../fsm/types.ts";
import { StoreRecordSealedError } from "./errors.ts";
import { keyName } from "./row_key.ts";

export const RECORD_HEADER_BYTES = 21;

/** State bits 0-1 of a record: how its body is kept. */
export const STATE_CLEARTEXT = 0;
export const STATE_SEALED = 1;

export const STATE_BODY_MASK = 0b0000_0011;

/** State bits 0-1 of a whole record whose body begins at `bodyAt`. */
export function bodyState(row: Uint8Array, bodyAt: number): number {
  return (row[bodyAt - RECORD_HEADER_BYTES + 1] ?? 0) & STATE_BODY_MASK;
}

/**
 * Makes bodies of records. A body vouches for its header and its place
 * (`placeBytes`) too.
 */
export interface RecordSealer {
  readonly state: typeof STATE_CLEARTEXT | typeof STATE_SEALED;
  /** Length of a body over its plaintext. */
  readonly overheadBytes: number;
  /**
   * Fills `row`, a whole record with its header in the 21 bytes before
   * `bodyAt`, from there to its end.
   */
  seal(
    row: Bytes,
    bodyAt: number,
    place: RecordKey,
    plaintext: Uint8Array,
  ): void | Promise<void>;
}

/** Opens bodies of records. */
export interface RecordOpener {
  /**
   * The plaintext of the whole record `row`, a view into it or fresh; `null` for
   * changed bytes.
   *
   * @throws {NodeError} Why it is not opened: STORE_RECORD_INTEGRITY,
   * STORE_RECORD_SEALED.
   */
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
export class CleartextSealer implements RecordSealer, RecordOpener {
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
    if (bodyState(row, bodyAt) !== STATE_CLEARTEXT) {
      throw new StoreRecordSealedError(place.database, keyName(place));
    }
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
