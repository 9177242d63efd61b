import { assert } from "../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  getUint64,
  setUint64,
  viewOf,
} from "../base/bytes.ts";
import {
  ENCODING_BYTES,
  ENCODING_LE64,
  ENCODING_V8,
  type RecordKey,
  type StoredRecord,
  type ValueEncoding,
  VERSIONSTAMP_BYTES,
} from "../fsm/types.ts";
import { KV_VALUE_BYTES_MAX } from "../io/kv.ts";
import { type RecordFault, StoreRecordDamagedError } from "./errors.ts";
import {
  CLIENT_KEY_BYTES_MAX,
  isLongKey,
  isPlaceOf,
  keyName,
  type ParsedRowKey,
} from "./row_key.ts";
import {
  bodyState,
  RECORD_HEADER_BYTES,
  type RecordOpener,
  type RecordSealer,
  STATE_BODY_MASK,
  STATE_SEALED,
} from "./sealer.ts";

const FORMAT = 1;
const STATE_OVERFLOW = 0b0000_0100;
const KEY_LENGTH_BYTES = 2;

/** Longest value of a client (kvconnect.md §5). */
const VALUE_BYTES_MAX = 65_536;

/**
 * Row value(s) of one record.
 *
 *     offset  bytes  field
 *     0       2 + k  only for a long key: its length u16, the key
 *     then
 *     0       1      format = 1
 *     1       1      state: bits 0-1 body (0 cleartext, 1 sealed), bit 2 has
 *                    an overflow part, others 0
 *     2       1      value encoding (1 V8, 2 LE64, 3 bytes)
 *     3       10     versionstamp
 *     13      8      expire at, Unix ms, 0 none
 *     21      ..     body, as the sealer keeps it
 *
 * `overflow` continues `row` at byte 65,536. Copies what it is given.
 */
export interface EncodedRecord {
  readonly row: Bytes;
  readonly overflow: Bytes | null;
}

/** Encodes `record` for `place`; a promise when the sealer gives one. */
export function encodeRecord(
  sealer: RecordSealer,
  place: RecordKey,
  record: StoredRecord,
): EncodedRecord | Promise<EncodedRecord> {
  const { key } = place;
  const { data, encoding } = record.value;
  assert(data.length <= VALUE_BYTES_MAX, "a value has at most 65,536 bytes");
  assert(
    record.versionstamp.length === VERSIONSTAMP_BYTES,
    "a versionstamp has 10 bytes",
  );
  const headerAt = isLongKey(key) ? KEY_LENGTH_BYTES + key.length : 0;
  const bodyAt = headerAt + RECORD_HEADER_BYTES;
  const whole = new Uint8Array(bodyAt + data.length + sealer.overheadBytes);
  const view = viewOf(whole);
  if (headerAt > 0) {
    view.setUint16(0, key.length);
    whole.set(key, KEY_LENGTH_BYTES);
  }
  const overflows = whole.length > KV_VALUE_BYTES_MAX;
  whole[headerAt] = FORMAT;
  whole[headerAt + 1] = sealer.state | (overflows ? STATE_OVERFLOW : 0);
  whole[headerAt + 2] = encoding;
  whole.set(record.versionstamp, headerAt + 3);
  setUint64(view, headerAt + 13, record.expireAtMs);
  const sealing = sealer.seal(whole, bodyAt, place, data);
  return sealing instanceof Promise
    ? sealing.then(() => splitRecord(whole))
    : splitRecord(whole);
}

function splitRecord(whole: Bytes): EncodedRecord {
  if (whole.length <= KV_VALUE_BYTES_MAX) return { row: whole, overflow: null };
  return {
    row: whole.slice(0, KV_VALUE_BYTES_MAX),
    overflow: whole.slice(KV_VALUE_BYTES_MAX),
  };
}

/** Rows and bytes that `encodeRecord` would make, at most. */
export function recordBytes(key: Uint8Array, dataBytes: number): number {
  const prefix = isLongKey(key) ? KEY_LENGTH_BYTES + key.length : 0;
  return prefix + RECORD_HEADER_BYTES + dataBytes + SEALER_OVERHEAD_BYTES_MAX;
}
/** A storage envelope's (formats.md); cleartext needs less. */
const SEALER_OVERHEAD_BYTES_MAX = 34;

/** A record's row, its header read but nothing vouched for yet. */
export interface RecordRow {
  readonly place: RecordKey;
  readonly row: Uint8Array;
  readonly headerAt: number;
  readonly hasOverflow: boolean;
}

/**
 * Reads the frame of a record found at `at`.
 *
 * @throws {StoreRecordDamagedError} Not the frame of a record of this place.
 */
export function readRecordRow(at: ParsedRowKey, row: Uint8Array): RecordRow {
  const place = at.hash === null
    ? { database: at.database, key: at.bytes }
    : { database: at.database, key: longKey(at, row) };
  const headerAt = at.hash === null ? 0 : KEY_LENGTH_BYTES + place.key.length;
  if (row.length < headerAt + RECORD_HEADER_BYTES) {
    throw damaged(place, "too short");
  }
  if (row[headerAt] !== FORMAT) throw damaged(place, "unknown format");
  const state = row[headerAt + 1] ?? 0;
  if ((state & ~(STATE_BODY_MASK | STATE_OVERFLOW)) !== 0) {
    throw damaged(place, "reserved state bits");
  }
  return { place, row, headerAt, hasOverflow: (state & STATE_OVERFLOW) !== 0 };
}

function longKey(at: ParsedRowKey, row: Uint8Array): Uint8Array {
  const prefix = { database: at.database, key: at.bytes };
  if (row.length < KEY_LENGTH_BYTES) throw damaged(prefix, "too short");
  const length = viewOf(row).getUint16(0);
  if (length > CLIENT_KEY_BYTES_MAX) throw damaged(prefix, "wrong place");
  const key = row.subarray(KEY_LENGTH_BYTES, KEY_LENGTH_BYTES + length);
  if (!isPlaceOf(at, key)) throw damaged(prefix, "wrong place");
  return key;
}

/**
 * Opens a record; `overflow` is the rest of its row when it has one.
 *
 * The result keeps `found.row`.
 *
 * @throws {StoreRecordDamagedError} A byte changed, or the part is missing.
 * @throws {NodeError} What `opener` throws.
 */
export function openRecord(
  opener: RecordOpener,
  found: RecordRow,
  overflow: Uint8Array | null,
): StoredRecord | Promise<StoredRecord> {
  const { place, headerAt, hasOverflow } = found;
  if (hasOverflow && overflow === null) {
    throw damaged(place, "missing overflow part");
  }
  const row = overflow === null || !hasOverflow
    ? found.row
    : concatBytes(found.row, overflow);
  const bodyAt = headerAt + RECORD_HEADER_BYTES;
  if (bodyState(row, bodyAt) > STATE_SEALED) {
    throw damaged(place, "reserved state bits");
  }
  const opened = opener.open(row, bodyAt, place);
  return opened instanceof Promise
    ? opened.then((plaintext) => readHeader(place, row, headerAt, plaintext))
    : readHeader(place, row, headerAt, opened);
}

function readHeader(
  place: RecordKey,
  row: Uint8Array,
  headerAt: number,
  plaintext: Uint8Array | null,
): StoredRecord {
  if (plaintext === null) throw damaged(place, "wrong checksum");
  const encoding = parseEncoding(row[headerAt + 2]);
  const expireAtMs = getUint64(viewOf(row), headerAt + 13);
  if (encoding === null || expireAtMs === null) {
    throw damaged(place, "unknown encoding");
  }
  return {
    value: { data: plaintext, encoding },
    versionstamp: row.subarray(headerAt + 3, headerAt + 13),
    expireAtMs,
  };
}

function parseEncoding(code: number | undefined): ValueEncoding | null {
  switch (code) {
    case ENCODING_V8:
    case ENCODING_LE64:
    case ENCODING_BYTES:
      return code;
    default:
      return null;
  }
}

function damaged(place: RecordKey, fault: RecordFault): Error {
  return new StoreRecordDamagedError(fault, place.database, keyName(place));
}
