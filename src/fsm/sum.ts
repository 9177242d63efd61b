import { viewOf } from "../base/bytes.ts";
import { LE64_BYTES, VALUE_BYTES_MAX } from "./limits.ts";
import {
  type Change,
  ENCODING_LE64,
  ENCODING_V8,
  type KvValue,
} from "./types.ts";
import { encodeV8Number, parseV8Number } from "./v8_number.ts";

/** A value, or why there is none, in the words that users see. */
export type Outcome = KvValue | string;

type Sum = Extract<Change, { kind: "sum" }>;
type MinMax = Extract<Change, { kind: "min" | "max" }>;

const U64_MAX = 2n ** 64n - 1n;

const RANGE_EXCEEDED =
  "The result of a Sum operation would exceed its range limit";
const STORED_UNSUPPORTED = "unsupported value type";
const OPERAND_UNSUPPORTED =
  "Some of the parameters are not valid V8 values: a sum takes a KvU64, BigInt or Number";
const BOUND_UNSUPPORTED =
  "Some of the parameters are not valid V8 values: bounds must be of the operand's type";

/**
 * Adds `change` to `stored`, `null` for an absent key.
 *
 * Source: kvconnect.md §4.2 and §4.3.
 */
export function evaluateSum(stored: KvValue | null, change: Sum): Outcome {
  const operand = change.value;
  if (operand.encoding === ENCODING_LE64) {
    if (stored === null) return operand;
    if (stored.encoding !== ENCODING_LE64) return nonU64Stored("sum");
    return encodeU64(decodeU64(stored) + decodeU64(operand));
  }
  const addend = operand.encoding === ENCODING_V8
    ? parseV8Number(operand.data)
    : null;
  if (addend === null) return OPERAND_UNSUPPORTED;
  const bounds = parseBounds(change, addend);
  if (bounds === null) return BOUND_UNSUPPORTED;
  if (stored === null) return operand;
  if (stored.encoding === ENCODING_LE64) {
    return addToU64(stored, addend, bounds);
  }
  const current = stored.encoding === ENCODING_V8
    ? parseV8Number(stored.data)
    : null;
  if (current === null) return STORED_UNSUPPORTED;
  const sum = addSameKind(current, addend);
  if (sum === null) return mixture(kindOf(current), addend);
  return bounded(sum, bounds);
}

/** Keeps the smaller or larger of `stored` (`null`: absent) and the operand. */
export function evaluateMinMax(
  stored: KvValue | null,
  change: MinMax,
): Outcome {
  const operand = change.value;
  if (operand.encoding !== ENCODING_LE64) {
    return `Failed to perform '${change.kind}' mutation on a non-U64 operand`;
  }
  if (stored === null) return operand;
  if (stored.encoding !== ENCODING_LE64) return nonU64Stored(change.kind);
  const smaller = decodeU64(stored) < decodeU64(operand);
  return smaller === (change.kind === "min") ? stored : operand;
}

interface Bounds {
  readonly min: number | bigint | null;
  readonly max: number | bigint | null;
  readonly clamp: boolean;
}

function parseBounds(change: Sum, like: number | bigint): Bounds | null {
  const min = parseBound(change.min);
  const max = parseBound(change.max);
  const fit = (change.min.length === 0 || typeof min === typeof like) &&
    (change.max.length === 0 || typeof max === typeof like);
  return fit ? { min, max, clamp: change.clamp } : null;
}

function parseBound(bytes: Uint8Array): number | bigint | null {
  return bytes.length === 0 || bytes.length > VALUE_BYTES_MAX
    ? null
    : parseV8Number(bytes);
}

function addToU64(
  stored: KvValue,
  addend: number | bigint,
  { min, max, clamp }: Bounds,
): Outcome {
  const plain = min === null && max === null && !clamp;
  return plain && typeof addend === "bigint" && addend >= 0n &&
      addend <= U64_MAX
    ? encodeU64(decodeU64(stored) + addend)
    : mixture("KvU64", addend);
}

function addSameKind(
  current: number | bigint,
  addend: number | bigint,
): number | bigint | null {
  if (typeof current === "bigint") {
    return typeof addend === "bigint" ? current + addend : null;
  }
  return typeof addend === "number" ? current + addend : null;
}

function bounded(
  sum: number | bigint,
  { min, max, clamp }: Bounds,
): Outcome {
  const below = min !== null && sum < min;
  const above = max !== null && sum > max;
  if ((below || above) && !clamp) return RANGE_EXCEEDED;
  let result = sum;
  if (min !== null && result < min) result = min;
  if (max !== null && result > max) result = max;
  return { data: encodeV8Number(result), encoding: ENCODING_V8 };
}

function mixture(stored: string, addend: number | bigint): string {
  return `Cannot sum ${stored} with ${kindOf(addend)}`;
}

function kindOf(value: number | bigint): string {
  return typeof value === "bigint" ? "BigInt" : "Number";
}

function nonU64Stored(kind: "sum" | "min" | "max"): string {
  return `Failed to perform '${kind}' mutation on a non-U64 value in the database`;
}

function decodeU64(value: KvValue): bigint {
  return viewOf(value.data).getBigUint64(0, true);
}

/** Keeps the low 64 bits of `value`. */
function encodeU64(value: bigint): KvValue {
  const data = new Uint8Array(LE64_BYTES);
  viewOf(data).setBigUint64(0, value, true);
  return { data, encoding: ENCODING_LE64 };
}
