import { unreachable } from "../base/assert.ts";
import { KEY_BYTES_MAX, LE64_BYTES, VALUE_BYTES_MAX } from "./limits.ts";
import { evaluateMinMax, evaluateSum } from "./sum.ts";
import {
  type Change,
  type DatabaseNumber,
  ENCODING_LE64,
  type KvValue,
  type Mutation,
  type StoredRecord,
  type Versionstamp,
} from "./types.ts";
import { suffixKey } from "./versionstamp.ts";

const VALUE_TOO_LARGE = `Value too large (max ${VALUE_BYTES_MAX} bytes)`;
const KEY_TOO_LARGE = `Key too large for write (max ${KEY_BYTES_MAX} bytes)`;

/** What one change is evaluated in. */
export interface ChangeContext {
  readonly database: DatabaseNumber;
  /** Of the write. */
  readonly versionstamp: Versionstamp;
  /** Replicated clock. */
  readonly clockMs: number;
  /** Returns a key's live record as the changes before this one left it. */
  current(key: Uint8Array): StoredRecord | null;
}

/** Tells whether `record` is there at `clockMs`: expired counts as absent. */
export function isLive(record: StoredRecord, clockMs: number): boolean {
  return record.expireAtMs === 0 || record.expireAtMs > clockMs;
}

/** Tells whether evaluating `change` looks at its key's record. */
export function readsRecord(change: Change): boolean {
  return change.kind === "sum" || change.kind === "min" ||
    change.kind === "max";
}

/**
 * Evaluates one change, or returns why the whole write is refused, in the words
 * that users see.
 *
 * Total: takes any change that a log entry can hold. A set that is expired when
 * it commits deletes: nobody could read the record, and nothing has to sweep it.
 */
export function evaluateChange(
  change: Change,
  context: ChangeContext,
): Mutation | string {
  const { key } = change;
  const fault = faultOf(change);
  if (fault !== null) return fault;
  const { database, versionstamp, clockMs } = context;
  switch (change.kind) {
    case "set":
    case "set-suffix": {
      const { value, expireAtMs } = change;
      const record = { value, versionstamp, expireAtMs };
      return {
        database,
        key: change.kind === "set" ? key : suffixKey(key, versionstamp),
        record: isLive(record, clockMs) ? record : null,
      };
    }
    case "delete":
      return { database, key, record: null };
    case "sum":
    case "min":
    case "max": {
      const stored = context.current(key)?.value ?? null;
      const value = change.kind === "sum"
        ? evaluateSum(stored, change)
        : evaluateMinMax(stored, change);
      if (typeof value === "string") return value;
      if (value.data.length > VALUE_BYTES_MAX) return VALUE_TOO_LARGE;
      const record = { value, versionstamp, expireAtMs: 0 };
      return { database, key, record };
    }
    default:
      return unreachable(change);
  }
}

function faultOf(change: Change): string | null {
  const { key } = change;
  if (key.length === 0) return "key cannot be empty";
  if (key.length > KEY_BYTES_MAX) return KEY_TOO_LARGE;
  return change.kind === "delete" ? null : valueFault(change.value);
}

function valueFault({ data, encoding }: KvValue): string | null {
  if (data.length > VALUE_BYTES_MAX) return VALUE_TOO_LARGE;
  if (encoding === ENCODING_LE64 && data.length !== LE64_BYTES) {
    return `A KvU64 must have ${LE64_BYTES} bytes`;
  }
  return null;
}
