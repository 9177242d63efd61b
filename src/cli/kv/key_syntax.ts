import { InputInvalidError } from "../errors.ts";
import {
  fromExtendedJson,
  type JsonValue,
  toExtendedJson,
} from "./extended_json.ts";

export const KEY_HELP = `Keys:
  users/1/name            parts that are strings, between slashes
  '["users",1]'           a JSON array: strings, numbers, true and false
  '["users",{"$bigint":"7"},{"$bytes":"AAE="}]'   all types of parts`;

const KEY_REMEDY = 'Write users/1 or a JSON array, as ["users",1]';

/**
 * Reads a key as people type it: a JSON array, or strings between slashes.
 *
 * @throws {InputInvalidError}
 */
export function parseKey(text: string): Deno.KvKey {
  if (text.startsWith("[")) return keyFromJson(parseJson(text));
  const parts = text.replace(/^\//, "").split("/");
  if (parts.every((part) => part !== "")) return parts;
  throw notKey("it has an empty part");
}

/** @throws {InputInvalidError} When `json` is no array of key parts. */
export function keyFromJson(json: unknown): Deno.KvKey {
  if (!Array.isArray(json)) throw notKey("it is no array");
  return json.map((part: JsonValue) => {
    const value = fromExtendedJson(part);
    if (isKeyPart(value)) return value;
    throw notKey("a part is no string, number, bigint, boolean or bytes");
  });
}

export function keyToJson(key: Deno.KvKey): JsonValue {
  return key.map(toExtendedJson);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputInvalidError("the key", "it is not JSON", KEY_REMEDY, {
      cause,
    });
  }
}

function isKeyPart(value: unknown): value is Deno.KvKeyPart {
  return ["string", "number", "bigint", "boolean"].includes(typeof value) ||
    value instanceof Uint8Array;
}

function notKey(rule: string): InputInvalidError {
  return new InputInvalidError("the key", rule, KEY_REMEDY);
}
