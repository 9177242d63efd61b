import { assert } from "../base/assert.ts";
import {
  type Bytes,
  compareBytes,
  equalBytes,
  toHex,
  viewOf,
} from "../base/bytes.ts";
import { sha256 } from "../base/sha256.ts";
import type { DatabaseNumber, RecordKey } from "../fsm/types.ts";
import type { KvKey } from "../io/kv.ts";
import { encodeKvKey } from "../io/kv_key.ts";
import { isSessionPlace, type SessionPlace } from "./session_row.ts";

/**
 * Longest client key a store takes: 2,048 written plus a versionstamp suffix
 * of 22.
 */
export const CLIENT_KEY_BYTES_MAX = 2_070;

/**
 * Longest escaped client key that fits a row key in whole.
 *
 * The longest row is a staged expiry row: 2,048 - 3 (first part, kind)
 * - 5 (staging number) - 2 (kind) - 9 (expiry) - 3 (database) - 2 (framing of
 * the key) - 34 (hash) = 1,990; rounded down.
 */
export const ROW_KEY_ESCAPED_BYTES_MAX = 1_984;

/**
 * First part of internal rows. Databases count from 1, so no client key gets
 * here.
 */
const INTERNAL = 0n;
const KIND_META = 1n;
const KIND_DATABASE = 2n;
const KIND_OVERFLOW = 3n;
const KIND_EXPIRY = 4n;
const KIND_STAGED = 5n;
const KIND_MARKER = 6n;
const KIND_MEMBERS = 7n;
const KIND_ENCRYPTION = 8n;
const KIND_SESSION = 9n;
const KIND_ROLLOUT = 10n;
const KIND_NO_CLEARTEXT = 11n;

export const META_KEY: KvKey = [INTERNAL, KIND_META];
export const MARKER_KEY: KvKey = [INTERNAL, KIND_MARKER];
export const MEMBERS_KEY: KvKey = [INTERNAL, KIND_MEMBERS];
export const ROLLOUT_KEY: KvKey = [INTERNAL, KIND_ROLLOUT];
export const NO_CLEARTEXT_KEY: KvKey = [INTERNAL, KIND_NO_CLEARTEXT];
export const DATABASE_ROWS = kindRange(KIND_DATABASE);
export const OVERFLOW_ROWS = kindRange(KIND_OVERFLOW);
export const EXPIRY_ROWS = kindRange(KIND_EXPIRY);
export const STAGED_ROWS = kindRange(KIND_STAGED);
export const ENCRYPTION_ROWS = kindRange(KIND_ENCRYPTION);
export const SESSION_ROWS = kindRange(KIND_SESSION);
/** Rows of records, all databases. */
export const RECORD_ROWS = { start: [1n], end: [true] } as const;
/** Rows of records, their parts and their expiry: most of a store. */
export const BULK_ROWS = [OVERFLOW_ROWS, EXPIRY_ROWS, RECORD_ROWS] as const;
/** All others but those of a commit in parts; META_KEY is the first. */
export const STATE_ROWS = [
  { start: META_KEY, end: OVERFLOW_ROWS.start },
  { start: MEMBERS_KEY, end: RECORD_ROWS.start },
] as const;
/** Every row of the store. */
export const ALL_ROWS = { start: [INTERNAL], end: [true] } as const;

/** Half-open bounds over rows. */
export interface RowBounds {
  readonly start: KvKey;
  readonly end: KvKey;
}

/**
 * The row of a client's key. Rows are ordered as their keys are, but for long
 * keys that share a prefix: those lie together, in the order of their hashes.
 *
 *     short  [database, key]
 *     long   [database, prefix, SHA-256 of the key as bigint]
 *
 * `prefix` is the longest start of the key that escapes to at most
 * ROW_KEY_ESCAPED_BYTES_MAX bytes. Keeps `key`.
 */
export function rowKey({ database, key }: RecordKey): KvKey {
  const prefixBytes = shortBytes(key);
  if (prefixBytes === key.length) return [BigInt(database), key];
  return [BigInt(database), key.subarray(0, prefixBytes), hashPart(key)];
}

/** Tells whether the row of `key` holds only a prefix of it. */
export function isLongKey(key: Uint8Array): boolean {
  return shortBytes(key) !== key.length;
}

/**
 * Rows in which all keys of [start, end) lie. Rows of long keys at a long
 * bound may hold keys outside: filter by key.
 */
export function rowBounds(
  database: DatabaseNumber,
  range: { readonly start: Uint8Array; readonly end: Uint8Array },
): RowBounds {
  const { start, end } = range;
  const number = BigInt(database);
  const startBytes = shortBytes(start);
  const endBytes = shortBytes(end);
  const first = start.subarray(0, startBytes);
  const last = end.subarray(0, endBytes);
  return {
    // Before every hash, but after the short key that equals the prefix.
    start: startBytes === start.length ? [number, first] : [number, first, 0n],
    // After every hash: `false` sorts above any bigint.
    end: endBytes === end.length ? [number, last] : [number, last, false],
  };
}

/** The least row after `key`: bytes sort below every other part. */
export function rowAfter(key: KvKey): KvKey {
  return [...key, LEAST_PART];
}
const LEAST_PART = new Uint8Array(0);

/** What a record's row key says. */
export interface ParsedRowKey {
  readonly database: DatabaseNumber;
  /** The whole key, or its prefix when `hash` is set. */
  readonly bytes: Uint8Array;
  readonly hash: bigint | null;
}

/** Reads a record's row key; `null` when it is not one. */
export function parseRowKey(parts: KvKey): ParsedRowKey | null {
  const [database, bytes, hash] = parts;
  if (typeof database !== "bigint" || database < 1n) return null;
  if (!(bytes instanceof Uint8Array) || parts.length > 3) return null;
  if (hash !== undefined && typeof hash !== "bigint") return null;
  return { database: Number(database), bytes, hash: hash ?? null };
}

/** Tells whether a row of this hash and prefix is the place of `key`. */
export function isPlaceOf(row: ParsedRowKey, key: Uint8Array): boolean {
  return equalBytes(row.bytes, key.subarray(0, shortBytes(key))) &&
    row.bytes.length < key.length && row.hash === hashPart(key);
}

export function databaseKey(database: DatabaseNumber): KvKey {
  return [INTERNAL, KIND_DATABASE, BigInt(database)];
}

/** Where the rest of the record at `row` is. */
export function overflowKey(row: KvKey): KvKey {
  return [INTERNAL, KIND_OVERFLOW, ...row];
}

/** Sorts by time, then row. */
export function expiryKey(expireAtMs: number, row: KvKey): KvKey {
  return [INTERNAL, KIND_EXPIRY, BigInt(expireAtMs), ...row];
}

export function stagedKey(number: number, target: KvKey): KvKey {
  return [INTERNAL, KIND_STAGED, BigInt(number), ...target];
}

/** First part, kind and a number below 256, each with its tag. */
export const ENCRYPTION_KEY_BYTES_MAX = 5;

/** Parts of the encryption state count from 0. */
export function encryptionKey(part: number): KvKey {
  return [INTERNAL, KIND_ENCRYPTION, BigInt(part)];
}

/** Number of a part of the encryption state; `null` for other keys. */
export function parseEncryptionKey(key: KvKey): number | null {
  const [number] = innerNumbers(key, KIND_ENCRYPTION, 1) ?? [];
  return number ?? null;
}

export function sessionKey({ keyId, node16, epoch }: SessionPlace): KvKey {
  return [
    ...[INTERNAL, KIND_SESSION],
    ...[BigInt(keyId), BigInt(node16), BigInt(epoch)],
  ];
}

/** Reads a session's row key; `null` when it is not one. */
export function parseSessionKey(key: KvKey): SessionPlace | null {
  const numbers = innerNumbers(key, KIND_SESSION, 3);
  if (numbers === null) return null;
  const [keyId = 0, node16 = 0, epoch = 0] = numbers;
  const place = { keyId, node16, epoch };
  return isSessionPlace(place) ? place : null;
}

/** Numbers below 2^53 of an internal row of `kind`; `null` for other keys. */
function innerNumbers(
  key: KvKey,
  kind: bigint,
  count: number,
): readonly number[] | null {
  const [first, found, ...parts] = key;
  if (first !== INTERNAL || found !== kind || parts.length !== count) {
    return null;
  }
  const numbers: number[] = [];
  for (const part of parts) {
    const number = typeof part === "bigint" ? Number(part) : -1;
    if (number < 0 || !Number.isSafeInteger(number)) return null;
    numbers.push(number);
  }
  return numbers;
}

/** Number and inner row of an expiry or staged row; `null` for other keys. */
export function parseNumberedKey(
  key: KvKey,
): { readonly number: number; readonly row: KvKey } | null {
  const [first, kind, number, ...row] = key;
  if (first !== INTERNAL || typeof number !== "bigint") return null;
  if (kind !== KIND_EXPIRY && kind !== KIND_STAGED) return null;
  return { number: Number(number), row };
}

/** The record's row that an overflow row belongs to. */
export function overflowOwner(key: KvKey): KvKey {
  return key.slice(2);
}

/** What a row is to the record it belongs to. */
export interface RecordPart {
  /** The record's own row. */
  readonly row: KvKey;
  readonly isOverflow: boolean;
}

/** The record that the row `key` is a part of; `null` for other rows. */
export function recordPart(key: KvKey): RecordPart | null {
  if (key[0] !== INTERNAL) return { row: key, isOverflow: false };
  if (key[1] !== KIND_OVERFLOW) return null;
  return { row: overflowOwner(key), isOverflow: true };
}

/** Tells whether `key` is within BULK_ROWS. */
export function isBulkRow([first, kind]: KvKey): boolean {
  return first !== INTERNAL || kind === KIND_OVERFLOW || kind === KIND_EXPIRY;
}

/** Text that compares as the rows do: a UTF-16 unit for each byte. */
export function rowName(row: KvKey): string {
  return Reflect.apply(String.fromCharCode, null, encodeKvKey(row));
}

/** Orders places as their rows are ordered: <0, 0 or >0. */
export function compareRows(a: RecordKey, b: RecordKey): number {
  if (a.database !== b.database) return a.database - b.database;
  if (!isLongKey(a.key) && !isLongKey(b.key)) return compareBytes(a.key, b.key);
  return compareBytes(encodeKvKey(rowKey(a)), encodeKvKey(rowKey(b)));
}

/** Number of a database row; `null` for other keys. */
export function parseDatabaseKey(key: KvKey): DatabaseNumber | null {
  const number = key[2];
  return typeof number === "bigint" ? Number(number) : null;
}

/**
 * A name for a user's key that is safe in errors and logs: 8 hex digits, the
 * same for the same key in one database.
 */
export function keyName(place: RecordKey): string {
  return toHex(sha256(placeBytes(place)).subarray(0, 4));
}

/** What a body vouches for as its place: database u32 ‖ client's key. */
export function placeBytes({ database, key }: RecordKey): Bytes {
  const place = new Uint8Array(4 + key.length);
  viewOf(place).setUint32(0, database);
  place.set(key, 4);
  return place;
}

/** Bytes of `key` that its row holds. */
function shortBytes(key: Uint8Array): number {
  const limit = ROW_KEY_ESCAPED_BYTES_MAX;
  if (key.length * 2 <= limit) return key.length;
  let escaped = 0;
  let from = 0;
  for (;;) {
    const zero = key.indexOf(0, from);
    const until = zero < 0 ? key.length : zero;
    if (escaped + until - from > limit) return from + limit - escaped;
    escaped += until - from;
    if (zero < 0) return key.length;
    if (escaped + 2 > limit) return zero;
    escaped += 2;
    from = zero + 1;
  }
}

function hashPart(key: Uint8Array): bigint {
  return BigInt(`0x${toHex(sha256(key))}`);
}

function kindRange(kind: bigint): RowBounds {
  return { start: [INTERNAL, kind], end: [INTERNAL, kind, true] };
}

/** Asserts what callers of the store keep: limits of kvconnect.md §5. */
export function assertClientKey({ database, key }: RecordKey): void {
  assert(Number.isSafeInteger(database) && database >= 1, "a database ≥ 1");
  assert(key.length >= 1, "a client's key is not empty");
  assert(key.length <= CLIENT_KEY_BYTES_MAX, "a key has at most 2,070 bytes");
}
