import {
  type AtomicWrite,
  type Change,
  type Check,
  ENCODING_LE64,
  type KvValue,
  VERSIONSTAMP_BYTES,
} from "../fsm/types.ts";
import {
  decodeAtomicWrite,
  type WireCheck,
  type WireMutation,
} from "./decode_request.ts";
import { RequestInvalidError } from "./errors.ts";
import {
  CHECK_KEY_BYTES_MAX,
  VALUE_BYTES_MAX,
  WRITE_BYTES_MAX,
  WRITE_KEY_BYTES_MAX,
} from "./limits.ts";

const M_SET = 1;
const M_DELETE = 2;
const M_SUM = 3;
const M_MAX = 4;
const M_MIN = 5;
const M_SET_SUFFIX_VERSIONSTAMPED_KEY = 9;

const LE64_BYTES = 8;

/**
 * Reads the body of an atomic_write to the database of that name.
 *
 * Keys and values are views into `body`: do not change it after.
 *
 * @throws {RequestInvalidError} Malformed, against a limit, or asking for what
 * is not supported: nothing of the write may happen then.
 */
export function parseAtomicWrite(
  body: Uint8Array,
  database: string,
): AtomicWrite {
  const wire = decodeAtomicWrite(body);
  if (wire.enqueueCount > 0) {
    throw new RequestInvalidError(
      "Queues are not supported: an enqueued message would never be delivered",
    );
  }
  let bytes = 0;
  const checks: Check[] = [];
  for (const check of wire.checks) {
    checks.push(parseCheck(check));
    bytes += check.key.length;
  }
  const changes: Change[] = [];
  for (const mutation of wire.mutations) {
    changes.push(parseChange(mutation));
    bytes += mutation.key.length + (mutation.value?.data.length ?? 0) +
      mutation.sumMin.length + mutation.sumMax.length;
  }
  if (bytes > WRITE_BYTES_MAX) {
    throw new RequestInvalidError(
      `Total mutation size too large (max ${WRITE_BYTES_MAX} bytes)`,
    );
  }
  return { database, checks, changes };
}

function parseCheck(check: WireCheck): Check {
  const { key, versionstamp } = check;
  if (key.length === 0) throw keyEmpty();
  if (key.length > CHECK_KEY_BYTES_MAX) {
    throw new RequestInvalidError(
      `Key too large for check (max ${CHECK_KEY_BYTES_MAX} bytes)`,
    );
  }
  if (versionstamp.length === 0) return { key, versionstamp: null };
  if (versionstamp.length !== VERSIONSTAMP_BYTES) {
    throw new RequestInvalidError(
      `Invalid versionstamp of a check: ${versionstamp.length} bytes instead of ${VERSIONSTAMP_BYTES}`,
    );
  }
  return { key, versionstamp };
}

function parseChange(mutation: WireMutation): Change {
  const { key, type } = mutation;
  if (key.length === 0) throw keyEmpty();
  if (key.length > WRITE_KEY_BYTES_MAX) {
    throw new RequestInvalidError(
      `Key too large for write (max ${WRITE_KEY_BYTES_MAX} bytes)`,
    );
  }
  switch (type) {
    case M_SET:
    case M_SET_SUFFIX_VERSIONSTAMPED_KEY:
      return {
        kind: type === M_SET ? "set" : "set-suffix",
        key,
        value: parseValue(mutation),
        expireAtMs: parseExpiry(mutation.expireAtMs),
      };
    case M_DELETE:
      return { kind: "delete", key };
    case M_SUM:
      return {
        kind: "sum",
        key,
        value: parseValue(mutation),
        min: parseBound(mutation.sumMin),
        max: parseBound(mutation.sumMax),
        clamp: mutation.sumClamp,
      };
    case M_MAX:
      return { kind: "max", key, value: parseValue(mutation) };
    case M_MIN:
      return { kind: "min", key, value: parseValue(mutation) };
    default:
      throw new RequestInvalidError(`Invalid kind of a mutation: ${type}`);
  }
}

function parseValue(mutation: WireMutation): KvValue {
  const value = mutation.value;
  if (value === null) {
    throw new RequestInvalidError("Invalid mutation: its value is missing");
  }
  const { data, encoding } = value;
  if (encoding !== 1 && encoding !== 2 && encoding !== 3) {
    throw new RequestInvalidError(`Unknown encoding of a value: ${encoding}`);
  }
  if (data.length > VALUE_BYTES_MAX) throw valueTooLarge();
  // Clients crash on reading such a value (kvconnect.md §0.12).
  if (encoding === ENCODING_LE64 && data.length !== LE64_BYTES) {
    throw new RequestInvalidError(
      `Invalid u64 value: ${data.length} bytes instead of ${LE64_BYTES}`,
    );
  }
  return { data, encoding };
}

function parseBound(bound: Uint8Array): Uint8Array {
  if (bound.length > VALUE_BYTES_MAX) throw valueTooLarge();
  return bound;
}

/** Unix ms, 0 for never; -1 says never as well. */
function parseExpiry(expireAtMs: number): number {
  if (expireAtMs >= 0) return expireAtMs;
  if (expireAtMs === -1) return 0;
  throw new RequestInvalidError(
    `Invalid expiry of a mutation: ${expireAtMs} is before 1970`,
  );
}

function keyEmpty(): RequestInvalidError {
  return new RequestInvalidError("key cannot be empty");
}

function valueTooLarge(): RequestInvalidError {
  return new RequestInvalidError(
    `Value too large (max ${VALUE_BYTES_MAX} bytes)`,
  );
}
