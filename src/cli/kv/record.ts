import { InputInvalidError } from "../errors.ts";
import {
  fromExtendedJson,
  type JsonValue,
  toExtendedJson,
} from "./extended_json.ts";
import { keyFromJson, keyToJson } from "./key_syntax.ts";
import { showValue } from "./value_syntax.ts";

/** One record of an import. */
export interface ImportRecord {
  readonly key: Deno.KvKey;
  readonly value: unknown;
  readonly expireInMs: number | null;
}

/** One record as a line of JSON; a missing one has `null`s. */
export function recordLine(entry: Deno.KvEntryMaybe<unknown>): string {
  const { key, value, versionstamp } = entry;
  const line = {
    key: keyToJson(key),
    value: versionstamp === null ? null : toExtendedJson(value),
    versionstamp,
  };
  return `${JSON.stringify(line)}\n`;
}

/** One record on a line for people: key and value, between them a tab. */
export function recordText(entry: Deno.KvEntryMaybe<unknown>): string {
  const key = JSON.stringify(keyToJson(entry.key));
  const value = entry.versionstamp === null
    ? "(no value)"
    : typeof entry.value === "string"
    ? JSON.stringify(entry.value)
    : showValue(entry.value);
  return `${key}\t${value}\n`;
}

const FIELDS = ["key", "value", "versionstamp", "expireIn"];

/**
 * Reads what `recordLine` wrote. `versionstamp` is ignored: an import makes new
 * ones; `expireIn` in ms is optional.
 *
 * @throws {InputInvalidError}
 */
export function parseRecord(line: string): ImportRecord {
  const json = parseLine(line);
  const fields = new Map(Object.entries(json));
  for (const name of fields.keys()) {
    if (!FIELDS.includes(name)) {
      throw notRecord(`the field ${JSON.stringify(name)} means nothing here`);
    }
  }
  const value = fields.get("value");
  if (value === undefined) throw notRecord('the field "value" is missing');
  const expireIn = fields.get("expireIn") ?? null;
  if (
    expireIn !== null &&
    (typeof expireIn !== "number" || !(expireIn >= 1) ||
      !Number.isFinite(expireIn))
  ) {
    throw notRecord(
      'the field "expireIn" is no number of milliseconds above 0',
    );
  }
  return {
    key: keyFromJson(fields.get("key")),
    value: fromExtendedJson(value),
    expireInMs: expireIn,
  };
}

function parseLine(line: string): { readonly [name: string]: JsonValue } {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new InputInvalidError("the line", "it is not JSON", undefined, {
      cause,
    });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw notRecord("it is no JSON object");
  }
  // JSON.parse makes nothing else.
  return json as { readonly [name: string]: JsonValue };
}

function notRecord(rule: string): InputInvalidError {
  return new InputInvalidError("the record", rule);
}
