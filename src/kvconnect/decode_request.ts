import { EMPTY_BYTES } from "../base/bytes.ts";
import { RequestInvalidError } from "./errors.ts";
import {
  CHECKS_MAX,
  MUTATIONS_MAX,
  READ_RANGES_MAX,
  WATCH_KEYS_MAX,
} from "./limits.ts";
import { ProtoReader } from "./proto_reader.ts";

/*
 * Bodies of data calls as they came, defaults filled in, nothing checked but
 * the counts. Hand-written twins of gen/datapath_pb.ts: this is the hot path.
 * Byte fields are views into the body.
 */

export interface WireReadRange {
  start: Uint8Array;
  end: Uint8Array;
  limit: number;
  reverse: boolean;
}

export interface WireCheck {
  key: Uint8Array;
  versionstamp: Uint8Array;
}

export interface WireValue {
  data: Uint8Array;
  encoding: number;
}

export interface WireMutation {
  key: Uint8Array;
  value: WireValue | null;
  type: number;
  expireAtMs: number;
  sumMin: Uint8Array;
  sumMax: Uint8Array;
  sumClamp: boolean;
}

export interface WireAtomicWrite {
  readonly checks: readonly WireCheck[];
  readonly mutations: readonly WireMutation[];
  readonly enqueueCount: number;
}

/** @throws {RequestInvalidError} Malformed, or over READ_RANGES_MAX. */
export function decodeSnapshotRead(body: Uint8Array): WireReadRange[] {
  const reader = new ProtoReader(body);
  const ranges: WireReadRange[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) reader.skip();
    else {
      if (ranges.length === READ_RANGES_MAX) {
        throw tooMany("ranges", READ_RANGES_MAX);
      }
      ranges.push(decodeRange(reader));
    }
  }
  return ranges;
}

/** @throws {RequestInvalidError} Malformed, or over a count's limit. */
export function decodeAtomicWrite(body: Uint8Array): WireAtomicWrite {
  const reader = new ProtoReader(body);
  const checks: WireCheck[] = [];
  const mutations: WireMutation[] = [];
  let enqueueCount = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    switch (field) {
      case 1:
        if (checks.length === CHECKS_MAX) throw tooMany("checks", CHECKS_MAX);
        checks.push(decodeCheck(reader));
        break;
      case 2:
        if (mutations.length === MUTATIONS_MAX) {
          throw tooMany("mutations", MUTATIONS_MAX);
        }
        mutations.push(decodeMutation(reader));
        break;
      case 3:
        reader.bytes();
        enqueueCount += 1;
        break;
      default:
        reader.skip();
    }
  }
  return { checks, mutations, enqueueCount };
}

/** @throws {RequestInvalidError} Malformed, or over WATCH_KEYS_MAX. */
export function decodeWatch(body: Uint8Array): Uint8Array[] {
  const reader = new ProtoReader(body);
  const keys: Uint8Array[] = [];
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field !== 1) reader.skip();
    else {
      if (keys.length === WATCH_KEYS_MAX) throw tooMany("keys", WATCH_KEYS_MAX);
      keys.push(decodeWatchKey(reader));
    }
  }
  return keys;
}

function decodeRange(reader: ProtoReader): WireReadRange {
  const outer = reader.enter();
  const range: WireReadRange = {
    start: EMPTY_BYTES,
    end: EMPTY_BYTES,
    limit: 0,
    reverse: false,
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) range.start = reader.bytes();
    else if (field === 2) range.end = reader.bytes();
    else if (field === 3) range.limit = reader.int32();
    else if (field === 4) range.reverse = reader.bool();
    else reader.skip();
  }
  reader.leave(outer);
  return range;
}

function decodeCheck(reader: ProtoReader): WireCheck {
  const outer = reader.enter();
  const check: WireCheck = { key: EMPTY_BYTES, versionstamp: EMPTY_BYTES };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) check.key = reader.bytes();
    else if (field === 2) check.versionstamp = reader.bytes();
    else reader.skip();
  }
  reader.leave(outer);
  return check;
}

function decodeMutation(reader: ProtoReader): WireMutation {
  const outer = reader.enter();
  const mutation: WireMutation = {
    key: EMPTY_BYTES,
    value: null,
    type: 0,
    expireAtMs: 0,
    sumMin: EMPTY_BYTES,
    sumMax: EMPTY_BYTES,
    sumClamp: false,
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) mutation.key = reader.bytes();
    else if (field === 2) mutation.value = decodeValue(reader, mutation.value);
    else if (field === 3) mutation.type = reader.int32();
    else if (field === 4) mutation.expireAtMs = reader.int64();
    else if (field === 5) mutation.sumMin = reader.bytes();
    else if (field === 6) mutation.sumMax = reader.bytes();
    else if (field === 7) mutation.sumClamp = reader.bool();
    else reader.skip();
  }
  reader.leave(outer);
  return mutation;
}

/** A message field that comes twice is merged, so the first is passed on. */
function decodeValue(
  reader: ProtoReader,
  earlier: WireValue | null,
): WireValue {
  const outer = reader.enter();
  const value = earlier ?? { data: EMPTY_BYTES, encoding: 0 };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) value.data = reader.bytes();
    else if (field === 2) value.encoding = reader.int32();
    else reader.skip();
  }
  reader.leave(outer);
  return value;
}

function decodeWatchKey(reader: ProtoReader): Uint8Array {
  const outer = reader.enter();
  let key: Uint8Array = EMPTY_BYTES;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) key = reader.bytes();
    else reader.skip();
  }
  reader.leave(outer);
  return key;
}

function tooMany(what: string, max: number): RequestInvalidError {
  return new RequestInvalidError(`Too many ${what} (max ${max})`);
}
