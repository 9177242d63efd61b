import { assert } from "../../base/assert.ts";
import {
  type Bytes,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../../base/bytes.ts";
import {
  type DatabaseNumber,
  ENCODING_BYTES,
  ENCODING_LE64,
  ENCODING_V8,
  type ValueEncoding,
  VERSIONSTAMP_BYTES,
} from "../../fsm/types.ts";
import { CLIENT_KEY_BYTES_MAX } from "../row_key.ts";
import type { CheckpointRecord } from "./source.ts";

/*
 * The plaintext of a stream is a run of items: first the databases, ascending
 * by number, then the records in the order of their rows. Items cross the
 * borders of chunks. Integers are big-endian.
 *
 *     database
 *     0       1      kind = 1
 *     1       4      number
 *     5       2      length n of the name
 *     7       n      name, UTF-8
 *
 *     record
 *     0       1      kind = 2
 *     1       4      database number
 *     5       2      length k of the key
 *     7       4      length v of the value
 *     11      1      value encoding (1 V8, 2 LE64, 3 bytes)
 *     12      10     versionstamp
 *     22      8      expire at, Unix ms, 0 none
 *     30      k      key
 *     30 + k  v      value
 */
const KIND_DATABASE = 1;
const KIND_RECORD = 2;
const DATABASE_HEAD_BYTES = 7;
const RECORD_HEAD_BYTES = 30;
const VERSIONSTAMP_AT = 12;
const EXPIRE_AT = 22;

/** As a database's row has it. */
const DATABASE_NAME_BYTES_MAX = 1_024;
/** Numbers of databases count from 1, and there are DATABASES_MAX. */
const DATABASE_NUMBER_MAX = 65_535;
/** Longest value of a client (kvconnect.md §5). */
const VALUE_BYTES_MAX = 65_536;
const LE64_BYTES = 8;

export interface CheckpointDatabase {
  readonly name: string;
  readonly number: DatabaseNumber;
}

/** One item read, and where the next one starts. */
export type ItemRead =
  | {
    readonly kind: "database";
    readonly database: CheckpointDatabase;
    readonly next: number;
  }
  | {
    readonly kind: "record";
    readonly record: CheckpointRecord;
    readonly next: number;
  }
  /** The item goes on after these bytes. */
  | { readonly kind: "cut" }
  | { readonly kind: "damaged"; readonly fault: string };

export function encodeDatabaseItem(database: CheckpointDatabase): Bytes {
  const name = utf8(database.name);
  assert(name.length <= DATABASE_NAME_BYTES_MAX, "a short database name");
  const bytes = new Uint8Array(DATABASE_HEAD_BYTES + name.length);
  const view = viewOf(bytes);
  bytes[0] = KIND_DATABASE;
  view.setUint32(1, database.number);
  view.setUint16(5, name.length);
  bytes.set(name, DATABASE_HEAD_BYTES);
  return bytes;
}

/** The items of `records`, one after another. */
export function encodeRecordItems(
  records: readonly CheckpointRecord[],
): Bytes {
  let length = 0;
  for (const { key, value } of records) {
    length += RECORD_HEAD_BYTES + key.length + value.data.length;
  }
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  let at = 0;
  for (const { database, key, value, versionstamp, expireAtMs } of records) {
    bytes[at] = KIND_RECORD;
    view.setUint32(at + 1, database);
    view.setUint16(at + 5, key.length);
    view.setUint32(at + 7, value.data.length);
    bytes[at + 11] = value.encoding;
    bytes.set(versionstamp, at + VERSIONSTAMP_AT);
    setUint64(view, at + EXPIRE_AT, expireAtMs);
    bytes.set(key, at + RECORD_HEAD_BYTES);
    bytes.set(value.data, at + RECORD_HEAD_BYTES + key.length);
    at += RECORD_HEAD_BYTES + key.length + value.data.length;
  }
  return bytes;
}

/** Reads the item at `at`; a record's bytes are views. */
export function readItem(bytes: Uint8Array, at: number): ItemRead {
  switch (bytes[at]) {
    case KIND_DATABASE:
      return readDatabase(bytes, at);
    case KIND_RECORD:
      return readRecord(bytes, at);
    case undefined:
      return { kind: "cut" };
    default:
      return { kind: "damaged", fault: "an unknown item" };
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readDatabase(bytes: Uint8Array, at: number): ItemRead {
  if (at + DATABASE_HEAD_BYTES > bytes.length) return { kind: "cut" };
  const view = viewOf(bytes);
  const number = view.getUint32(at + 1);
  const length = view.getUint16(at + 5);
  if (length > DATABASE_NAME_BYTES_MAX) return damaged("a name too long");
  if (!isDatabase(number) || number === 1) return damaged("a wrong database");
  const from = at + DATABASE_HEAD_BYTES;
  const next = from + length;
  if (next > bytes.length) return { kind: "cut" };
  try {
    const name = decoder.decode(bytes.subarray(from, next));
    return { kind: "database", database: { name, number }, next };
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return damaged("a name that is not UTF-8");
  }
}

function readRecord(bytes: Uint8Array, at: number): ItemRead {
  if (at + RECORD_HEAD_BYTES > bytes.length) return { kind: "cut" };
  const view = viewOf(bytes);
  const database = view.getUint32(at + 1);
  const keyBytes = view.getUint16(at + 5);
  const valueBytes = view.getUint32(at + 7);
  const encoding = parseEncoding(bytes[at + 11]);
  const expireAtMs = getUint64(view, at + EXPIRE_AT);
  if (!isDatabase(database)) return damaged("a wrong database");
  if (keyBytes === 0 || keyBytes > CLIENT_KEY_BYTES_MAX) {
    return damaged("a key of a wrong length");
  }
  if (valueBytes > VALUE_BYTES_MAX) return damaged("a value too long");
  if (encoding === null || expireAtMs === null) {
    return damaged("an unknown encoding or time");
  }
  if (encoding === ENCODING_LE64 && valueBytes !== LE64_BYTES) {
    return damaged("a number of a wrong length");
  }
  const keyAt = at + RECORD_HEAD_BYTES;
  const valueAt = keyAt + keyBytes;
  const next = valueAt + valueBytes;
  if (next > bytes.length) return { kind: "cut" };
  const stampAt = at + VERSIONSTAMP_AT;
  const record = {
    database,
    key: bytes.subarray(keyAt, valueAt),
    value: { data: bytes.subarray(valueAt, next), encoding },
    versionstamp: bytes.subarray(stampAt, stampAt + VERSIONSTAMP_BYTES),
    expireAtMs,
  };
  return { kind: "record", record, next };
}

function isDatabase(number: number): boolean {
  return number >= 1 && number <= DATABASE_NUMBER_MAX;
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

function damaged(fault: string): ItemRead {
  return { kind: "damaged", fault };
}
