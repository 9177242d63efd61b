import { InputInvalidError } from "../errors.ts";
import { fromBase64 } from "../../base/base64.ts";
import { fromExtendedJson, toExtendedJson } from "./extended_json.ts";

export const VALUE_TYPES = ["json", "text", "bytes", "u64", "bigint"] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

export const VALUE_HELP = `Values:
  Without --type a value that is JSON is taken as JSON, all else as text.
  --type bytes takes base64 as an argument, and raw bytes on standard input.
  JSON carries every type: {"$bigint":"7"} {"$u64":"7"} {"$bytes":"AAE="}
  {"$date":"2030-01-01T00:00:00.000Z"} {"$map":[["k",1]]} {"$set":[1]}`;

/**
 * Reads a value as people type it; `type` `null` infers JSON or text.
 *
 * @throws {InputInvalidError}
 */
export function parseValue(text: string, type: ValueType | null): unknown {
  switch (type) {
    case "text":
      return text;
    case "json":
      return fromExtendedJson(parseJson(text));
    case "bytes":
      return fromBase64(text) ?? refuse("it is not base64", type);
    case "u64":
      return fromExtendedJson({ $u64: text });
    case "bigint":
      return fromExtendedJson({ $bigint: text });
    case null:
      return isJson(text) ? fromExtendedJson(JSON.parse(text)) : text;
  }
}

/** As `parseValue`, for a value that came as bytes on standard input. */
export function valueFromInput(
  bytes: Uint8Array,
  type: ValueType | null,
): unknown {
  if (type === "bytes") return bytes;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch (cause) {
    throw new InputInvalidError(
      "the value",
      "it is not UTF-8",
      "Give --type bytes to store standard input as it is",
      { cause },
    );
  }
  // What `echo` adds belongs to the shell, except where text is asked for.
  return parseValue(type === "text" ? text : text.replace(/\r?\n$/, ""), type);
}

/** A value on one line for people: text as it is, all else as JSON. */
export function showValue(value: unknown): string {
  return typeof value === "string"
    ? value
    : JSON.stringify(toExtendedJson(value));
}

function parseJson(text: string) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputInvalidError(
      "the value",
      "it is not JSON",
      "Quote strings, or give --type text",
      { cause },
    );
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refuse(rule: string, type: ValueType): never {
  throw new InputInvalidError(
    "the value",
    rule,
    `Write it as --type ${type} wants it, or leave --type out`,
  );
}
