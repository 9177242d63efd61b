import { InputInvalidError, ValueUnsupportedError } from "../errors.ts";
import { fromBase64, toBase64 } from "../../base/base64.ts";
import { readError, writeError } from "./error_value.ts";
import { readView, writeView } from "./view_value.ts";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Deeper values are refused: they would end the stack, not the limit. */
export const DEPTH_MAX = 1_000;

/**
 * Writes any value that Deno KV holds as JSON, without loss.
 *
 * JSON's own types stand for themselves. Everything else is an object with one
 * name that starts with "$":
 *
 *     {"$undefined": true}          {"$number": "NaN" | "Infinity" | "-0" | …}
 *     {"$bigint": "12"}             {"$u64": "18446744073709551615"}
 *     {"$bytes": BASE64}            {"$date": ISO or null}
 *     {"$map": [[key, value], …]}   {"$set": [value, …]}
 *     {"$regexp": [source, flags]}  {"$view": [TYPE, BASE64]}
 *     {"$error": {name, message, stack, cause}}
 *     {"$array": [length, [[index, value], …]]}   an array with holes
 *     {"$object": {…}}              an object that would look like one of these
 *
 * An object that a value holds twice is written twice.
 *
 * @throws {ValueUnsupportedError} For circles, boxed primitives and the like.
 */
export function toExtendedJson(value: unknown): JsonValue {
  return write(value, []);
}

/** @throws {InputInvalidError} Naming the form that is wrong. */
export function fromExtendedJson(json: JsonValue): unknown {
  return read(json, 0);
}

function write(value: unknown, holders: readonly object[]): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { $bigint: String(value) };
    case "undefined":
      return { $undefined: true };
    case "object":
      return value === null ? null : writeObject(value, holders);
    default:
      throw new ValueUnsupportedError(`a ${typeof value}`);
  }
}

function writeObject(value: object, holders: readonly object[]): JsonValue {
  if (holders.includes(value)) throw new ValueUnsupportedError("a circle");
  if (holders.length >= DEPTH_MAX) {
    throw new ValueUnsupportedError(`more than ${DEPTH_MAX} levels`);
  }
  const inside = [...holders, value];
  const each = (part: unknown) => write(part, inside);
  if (value instanceof Deno.KvU64) return { $u64: String(value.value) };
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return { $view: writeView(value) };
  }
  if (value instanceof Date) {
    return {
      $date: Number.isNaN(value.getTime()) ? null : value.toISOString(),
    };
  }
  if (value instanceof Map) {
    return { $map: [...value].map(([key, held]) => [each(key), each(held)]) };
  }
  if (value instanceof Set) return { $set: [...value].map(each) };
  if (value instanceof RegExp) return { $regexp: [value.source, value.flags] };
  if (value instanceof Error) return { $error: writeError(value, each) };
  if (Array.isArray(value)) return writeArray(value, each);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new ValueUnsupportedError(`a ${value.constructor.name} object`);
  }
  return writePlain(value, each);
}

function writeArray(
  array: readonly unknown[],
  each: (part: unknown) => JsonValue,
): JsonValue {
  const names = Object.keys(array);
  if (names.length === array.length) return array.map(each);
  if (names.some((name) => !/^[0-9]+$/.test(name))) {
    throw new ValueUnsupportedError("an array with named properties");
  }
  const items = names.map((name) => [Number(name), each(array[Number(name)])]);
  return { $array: [array.length, items] };
}

function writePlain(
  value: object,
  each: (part: unknown) => JsonValue,
): JsonValue {
  const names = Object.entries(value);
  // fromEntries defines properties, so "__proto__" is a name like any other.
  const plain = Object.fromEntries(
    names.map(([name, part]) => [name, each(part)]),
  );
  return tagOf(plain) === null ? plain : { $object: plain };
}

function tagOf(json: { readonly [name: string]: JsonValue }): string | null {
  const names = Object.keys(json);
  const [name] = names;
  return names.length === 1 && name !== undefined && name.startsWith("$")
    ? name
    : null;
}

function read(json: JsonValue, depth: number): unknown {
  if (depth > DEPTH_MAX) {
    throw malformed("the value", `at most ${DEPTH_MAX} levels`);
  }
  const each = (part: JsonValue) => read(part, depth + 1);
  if (typeof json !== "object" || json === null) return json;
  if (isArray(json)) return json.map(each);
  const tag = tagOf(json);
  return tag === null
    ? readPlain(json, each)
    : readTagged(tag, json[tag] ?? null, each);
}

function readTagged(
  tag: string,
  body: JsonValue,
  each: (part: JsonValue) => unknown,
): unknown {
  switch (tag) {
    case "$undefined":
      return undefined;
    case "$number":
      return readNumber(body);
    case "$bigint":
      return readBigint(tag, body, /^-?[0-9]+$/);
    case "$u64":
      return readU64(body);
    case "$bytes":
      return readBytes(tag, body);
    case "$date":
      return readDate(body);
    case "$map":
      return new Map(
        list(tag, body).map((pair) => {
          const [key, value] = pairOf(tag, pair);
          return [each(key), each(value)] as const;
        }),
      );
    case "$set":
      return new Set(list(tag, body).map(each));
    case "$regexp":
      return readRegExp(body);
    case "$view":
      return readView(body) ?? refuse(tag, "a type of view and base64");
    case "$error":
      return readError(body, each) ?? refuse(tag, "name, message and stack");
    case "$array":
      return readHoles(body, each);
    case "$object":
      return typeof body === "object" && body !== null && !isArray(body)
        ? readPlain(body, each)
        : refuse(tag, "an object");
    default:
      throw malformed(
        `"${tag}"`,
        'a type of value: a lone name with "$" in front is one',
      );
  }
}

function readPlain(
  json: { readonly [name: string]: JsonValue },
  each: (part: JsonValue) => unknown,
): object {
  return Object.fromEntries(
    Object.entries(json).map(([name, part]) => [name, each(part)]),
  );
}

function readNumber(body: JsonValue): number {
  const NAMED = ["NaN", "Infinity", "-Infinity", "-0"];
  if (typeof body !== "string" || !NAMED.includes(body)) {
    return refuse("$number", `one of ${NAMED.join(", ")}`);
  }
  return Number(body);
}

const DIGITS_MAX = 20_000;

function readBigint(tag: string, body: JsonValue, form: RegExp): bigint {
  if (
    typeof body !== "string" || body.length > DIGITS_MAX || !form.test(body)
  ) {
    return refuse(tag, "a string of decimal digits");
  }
  return BigInt(body);
}

function readU64(body: JsonValue): Deno.KvU64 {
  const value = readBigint("$u64", body, /^[0-9]{1,20}$/);
  if (value >= 2n ** 64n) return refuse("$u64", "a number below 2^64");
  return new Deno.KvU64(value);
}

function readBytes(tag: string, body: JsonValue): Uint8Array<ArrayBuffer> {
  const bytes = typeof body === "string" ? fromBase64(body) : null;
  return bytes ?? refuse(tag, "base64");
}

function readDate(body: JsonValue): Date {
  if (body === null) return new Date(NaN);
  const date = new Date(typeof body === "string" ? body : NaN);
  return Number.isNaN(date.getTime()) ? refuse("$date", "a time") : date;
}

function readRegExp(body: JsonValue): RegExp {
  const [source, flags] = pairOf("$regexp", body);
  if (typeof source === "string" && typeof flags === "string") {
    try {
      return new RegExp(source, flags);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
    }
  }
  return refuse("$regexp", "source and flags");
}

function readHoles(
  body: JsonValue,
  each: (part: JsonValue) => unknown,
): unknown[] {
  const [length, items] = pairOf("$array", body);
  if (
    typeof length !== "number" || !Number.isInteger(length) || length < 0 ||
    length >= 2 ** 32
  ) {
    return refuse("$array", "a length and items");
  }
  const array: unknown[] = [];
  array.length = length;
  for (const item of list("$array", items)) {
    const [index, value] = pairOf("$array", item);
    if (
      typeof index !== "number" || !Number.isInteger(index) || index < 0 ||
      index >= length
    ) {
      return refuse("$array", "indexes below its length");
    }
    array[index] = each(value);
  }
  return array;
}

function list(tag: string, body: JsonValue): readonly JsonValue[] {
  return isArray(body) ? body : refuse(tag, "an array");
}

function pairOf(
  tag: string,
  body: JsonValue,
): readonly [JsonValue, JsonValue] {
  const [first, second, ...rest] = list(tag, body);
  return first === undefined || second === undefined || rest.length > 0
    ? refuse(tag, "two items")
    : [first, second];
}

function isArray(json: JsonValue): json is readonly JsonValue[] {
  return Array.isArray(json);
}

function refuse(tag: string, rule: string): never {
  throw malformed(`"${tag}"`, rule);
}

function malformed(what: string, rule: string): InputInvalidError {
  return new InputInvalidError(what, rule);
}
