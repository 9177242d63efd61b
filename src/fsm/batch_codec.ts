import { assert, unreachable } from "../base/assert.ts";
import { type Bytes, EMPTY_BYTES, utf8 } from "../base/bytes.ts";
import {
  type AtomicWrite,
  type Change,
  type Check,
  ENCODING_BYTES,
  ENCODING_LE64,
  ENCODING_V8,
  type KvValue,
  VERSIONSTAMP_BYTES,
} from "./types.ts";
import { WireReader, WireWriter } from "./wire.ts";

/*
 * The bytes of CommandBatch in command.proto, by hand: protobuf-es takes
 * several times as long, and every write passes here on every member.
 */

/** Position in a batch is a u16 of the versionstamp. */
export const BATCH_WRITES_MAX = 65_536;

/** One proposal's writes; `nowMs` is the clock of the leader that made it. */
export interface CommandBatch {
  readonly nowMs: number;
  readonly writes: readonly AtomicWrite[];
}

const KIND_SET = 1;
const KIND_DELETE = 2;
const KIND_SUM = 3;
const KIND_MAX = 4;
const KIND_MIN = 5;
const KIND_SET_SUFFIX = 9;

/** Tags, lengths and numbers of one message: all of them together are less. */
const FRAMING_BYTES = 64;
const UTF8_BYTES_PER_UNIT = 3;

/**
 * Encodes what `decodeBatch` takes, behind `head`.
 *
 * Asserts what the decoder refuses: a batch that no member can decode must
 * never be proposed.
 */
export function encodeBatch(
  batch: CommandBatch,
  head: Uint8Array = EMPTY_BYTES,
): Bytes {
  const { nowMs, writes } = batch;
  assert(writes.length <= BATCH_WRITES_MAX, "a batch's positions are u16");
  assertNatural(nowMs);
  const writer = new WireWriter(head.length + batchBytesMax(writes));
  for (let i = writes.length - 1; i >= 0; i -= 1) {
    encodeWrite(writer, writes[i] as AtomicWrite);
  }
  writer.numberField(1, nowMs);
  writer.raw(head);
  return writer.finish();
}

function encodeWrite(writer: WireWriter, write: AtomicWrite): void {
  const { database, checks, changes } = write;
  const since = writer.written;
  for (let i = changes.length - 1; i >= 0; i -= 1) {
    encodeChange(writer, changes[i] as Change);
  }
  for (let i = checks.length - 1; i >= 0; i -= 1) {
    encodeCheck(writer, checks[i] as Check);
  }
  if (database !== "") {
    assert(database.isWellFormed(), "a database's name is Unicode");
    writer.bytesField(1, utf8(database));
  }
  writer.messageHead(2, since);
}

function encodeCheck(writer: WireWriter, check: Check): void {
  const since = writer.written;
  if (check.versionstamp !== null) {
    assert(
      check.versionstamp.length === VERSIONSTAMP_BYTES,
      "a versionstamp has 10 bytes",
    );
    writer.bytesField(2, check.versionstamp);
  }
  writer.bytesField(1, check.key);
  writer.messageHead(2, since);
}

function encodeChange(writer: WireWriter, change: Change): void {
  const since = writer.written;
  switch (change.kind) {
    case "set":
    case "set-suffix":
      assertNatural(change.expireAtMs);
      writer.numberField(4, change.expireAtMs);
      encodeValue(writer, change.value);
      break;
    case "delete":
      break;
    case "sum":
      writer.numberField(7, change.clamp ? 1 : 0);
      writer.bytesField(6, change.max);
      writer.bytesField(5, change.min);
      encodeValue(writer, change.value);
      break;
    case "min":
    case "max":
      encodeValue(writer, change.value);
      break;
    default:
      unreachable(change);
  }
  writer.bytesField(2, change.key);
  writer.numberField(1, kindNumber(change.kind));
  writer.messageHead(3, since);
}

function encodeValue(writer: WireWriter, value: KvValue): void {
  const since = writer.written;
  writer.numberField(2, value.encoding);
  writer.bytesField(1, value.data);
  writer.messageHead(3, since);
}

function kindNumber(kind: Change["kind"]): number {
  switch (kind) {
    case "set":
      return KIND_SET;
    case "delete":
      return KIND_DELETE;
    case "sum":
      return KIND_SUM;
    case "max":
      return KIND_MAX;
    case "min":
      return KIND_MIN;
    case "set-suffix":
      return KIND_SET_SUFFIX;
    default:
      return unreachable(kind);
  }
}

function batchBytesMax(writes: readonly AtomicWrite[]): number {
  let bytes = FRAMING_BYTES;
  for (const { database, checks, changes } of writes) {
    bytes += FRAMING_BYTES + UTF8_BYTES_PER_UNIT * database.length;
    for (const check of checks) bytes += FRAMING_BYTES + check.key.length;
    for (const change of changes) {
      bytes += FRAMING_BYTES + change.key.length;
      if (change.kind !== "delete") bytes += change.value.data.length;
      if (change.kind === "sum") bytes += change.min.length + change.max.length;
    }
  }
  return bytes;
}

function assertNatural(value: number): void {
  assert(
    Number.isSafeInteger(value) && value >= 0,
    "a time is a safe integer ≥ 0",
  );
}

/**
 * Decodes a batch from `bytes` at `from` to their end.
 *
 * Keys and values are views: keep `bytes` unchanged while they are in use.
 *
 * @throws {CommandMalformedError} For anything `encodeBatch` does not write.
 */
export function decodeBatch(bytes: Uint8Array, from: number): CommandBatch {
  const reader = new WireReader(bytes, from);
  const until = bytes.length;
  const writes: AtomicWrite[] = [];
  let nowMs = 0;
  let last = 0;
  while (reader.at < until) {
    const tag = reader.tag(until);
    if (tag === 0x08 && last < tag) nowMs = reader.number(until);
    else if (tag === 0x12) {
      if (writes.length === BATCH_WRITES_MAX) {
        throw reader.malformed(
          `a batch holds up to ${BATCH_WRITES_MAX} writes`,
        );
      }
      writes.push(decodeWrite(reader, reader.end(until)));
    } else throw reader.malformed("its fields must be known and in order");
    last = tag;
  }
  return { nowMs, writes };
}

function decodeWrite(reader: WireReader, until: number): AtomicWrite {
  const checks: Check[] = [];
  const changes: Change[] = [];
  let database = "";
  let last = 0;
  while (reader.at < until) {
    const tag = reader.tag(until);
    if (tag === 0x0a && last < tag) database = decodeName(reader, until);
    else if (tag === 0x12 && last <= tag) {
      checks.push(decodeCheck(reader, reader.end(until)));
    } else if (tag === 0x1a) {
      changes.push(decodeChange(reader, reader.end(until)));
    } else throw reader.malformed("its fields must be known and in order");
    last = tag;
  }
  return { database, checks, changes };
}

/** A BOM is part of a name; TextDecoder would drop it. */
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeName(reader: WireReader, until: number): string {
  const bytes = reader.data(until);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw reader.malformed("a database's name must be UTF-8");
  }
}

function decodeCheck(reader: WireReader, until: number): Check {
  let key: Uint8Array = EMPTY_BYTES;
  let versionstamp: Uint8Array | null = null;
  let last = 0;
  while (reader.at < until) {
    const tag = reader.tag(until);
    if (tag === 0x0a && last < tag) key = reader.data(until);
    else if (tag === 0x12 && last < tag) versionstamp = reader.data(until);
    else throw reader.malformed("its fields must be known and in order");
    last = tag;
  }
  if (versionstamp !== null && versionstamp.length !== VERSIONSTAMP_BYTES) {
    throw reader.malformed("a versionstamp must have 10 bytes");
  }
  return { key, versionstamp };
}

function decodeChange(reader: WireReader, until: number): Change {
  let kind = 0;
  let key: Uint8Array = EMPTY_BYTES;
  let value: KvValue | null = null;
  let expireAtMs = 0;
  let min: Uint8Array = EMPTY_BYTES;
  let max: Uint8Array = EMPTY_BYTES;
  let clamp = false;
  let last = 0;
  while (reader.at < until) {
    const tag = reader.tag(until);
    if (tag <= last) throw reader.malformed("its fields must be in order");
    last = tag;
    if (tag === 0x08) kind = reader.number(until);
    else if (tag === 0x12) key = reader.data(until);
    else if (tag === 0x1a) value = decodeValue(reader, reader.end(until));
    else if (tag === 0x20) expireAtMs = reader.number(until);
    else if (tag === 0x2a) min = reader.data(until);
    else if (tag === 0x32) max = reader.data(until);
    else if (tag === 0x38) clamp = decodeTrue(reader, until);
    else throw reader.malformed("its fields must be known");
  }
  const bounded = min.length > 0 || max.length > 0 || clamp;
  if (bounded && kind !== KIND_SUM) {
    throw reader.malformed("only a sum has bounds");
  }
  if (expireAtMs > 0 && kind !== KIND_SET && kind !== KIND_SET_SUFFIX) {
    throw reader.malformed("only a set has an expiry");
  }
  if ((value === null) !== (kind === KIND_DELETE)) {
    throw reader.malformed("all changes but a delete must have a value");
  }
  if (value === null) return { kind: "delete", key };
  switch (kind) {
    case KIND_SET:
      return { kind: "set", key, value, expireAtMs };
    case KIND_SET_SUFFIX:
      return { kind: "set-suffix", key, value, expireAtMs };
    case KIND_SUM:
      return { kind: "sum", key, value, min, max, clamp };
    case KIND_MAX:
      return { kind: "max", key, value };
    case KIND_MIN:
      return { kind: "min", key, value };
    default:
      throw reader.malformed("a change must be of a known kind");
  }
}

function decodeTrue(reader: WireReader, until: number): boolean {
  if (reader.number(until) !== 1) throw reader.malformed("a bool must be 1");
  return true;
}

function decodeValue(reader: WireReader, until: number): KvValue {
  let data: Uint8Array = EMPTY_BYTES;
  let encoding = 0;
  let last = 0;
  while (reader.at < until) {
    const tag = reader.tag(until);
    if (tag === 0x0a && last < tag) data = reader.data(until);
    else if (tag === 0x10 && last < tag) encoding = reader.number(until);
    else throw reader.malformed("its fields must be known and in order");
    last = tag;
  }
  if (
    encoding !== ENCODING_V8 && encoding !== ENCODING_LE64 &&
    encoding !== ENCODING_BYTES
  ) {
    throw reader.malformed("a value's encoding must be known");
  }
  return { data, encoding };
}
