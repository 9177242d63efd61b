import { assert } from "../base/assert.ts";
import { type Bytes, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import {
  EPOCH_MAX,
  KEY_ID_MAX,
  type KeyId,
  NO_KEY,
  SALT_BYTES,
} from "../base/data_key.ts";
import {
  StoreRowDamagedError,
  StoreVersionUnsupportedError,
} from "./errors.ts";
import { CHECKSUM_BYTES } from "./row_body.ts";

/** Which session: of a node, under a key. */
export interface SessionPlace {
  readonly keyId: KeyId;
  /** Low 16 bits of the node's full id. */
  readonly node16: number;
  /** 1 to EPOCH_MAX. */
  readonly epoch: number;
}

/** What turns a data key into the key of one session; written once. */
export interface SessionRow extends SessionPlace {
  /** 32 bytes. */
  readonly salt: Bytes;
}

const ROW = "session";
const VERSION = 1;
const SALT_AT = 1;
const CHECKSUM_AT = SALT_AT + SALT_BYTES;
const ROW_BYTES = CHECKSUM_AT + CHECKSUM_BYTES;
const NODE16_MAX = 0xffff;
const PLACE_BYTES = 8;

/** Tells whether a session can be there. */
export function isSessionPlace(place: SessionPlace): boolean {
  const { keyId, node16, epoch } = place;
  return keyId > NO_KEY && keyId <= KEY_ID_MAX &&
    node16 >= 0 && node16 <= NODE16_MAX && epoch >= 1 && epoch <= EPOCH_MAX;
}

/**
 * The value of a session's row.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       32     salt
 *     33      4      CRC-32C (key id u32 ‖ node16 u16 ‖ epoch u16 ‖ all before)
 */
export function encodeSession(row: SessionRow): Bytes {
  assert(isSessionPlace(row), "a session of a key, a node and an epoch");
  assert(row.salt.length === SALT_BYTES, "a salt has 32 bytes");
  const bytes = new Uint8Array(ROW_BYTES);
  bytes[0] = VERSION;
  bytes.set(row.salt, SALT_AT);
  viewOf(bytes).setUint32(CHECKSUM_AT, checksum(row, bytes));
  return bytes;
}

/**
 * Reads what `encodeSession` wrote for `place`.
 *
 * @throws {StoreVersionUnsupportedError} Written by a later program.
 * @throws {StoreRowDamagedError} Anything else that is not that session's row.
 */
export function decodeSession(
  bytes: Uint8Array,
  { keyId, node16, epoch }: SessionPlace,
): SessionRow {
  const version = bytes[0];
  if (version === undefined) throw new StoreRowDamagedError(ROW, "empty");
  if (version !== VERSION) {
    throw new StoreVersionUnsupportedError(version, VERSION);
  }
  if (bytes.length !== ROW_BYTES) {
    throw new StoreRowDamagedError(ROW, "wrong length");
  }
  const place = { keyId, node16, epoch };
  if (viewOf(bytes).getUint32(CHECKSUM_AT) !== checksum(place, bytes)) {
    throw new StoreRowDamagedError(ROW, "wrong checksum");
  }
  return { ...place, salt: bytes.slice(SALT_AT, CHECKSUM_AT) };
}

function checksum(place: SessionPlace, bytes: Uint8Array): number {
  const head = new Uint8Array(PLACE_BYTES);
  const view = viewOf(head);
  view.setUint32(0, place.keyId);
  view.setUint16(4, place.node16);
  view.setUint16(6, place.epoch);
  return crc32c(bytes.subarray(0, CHECKSUM_AT), crc32c(head));
}
