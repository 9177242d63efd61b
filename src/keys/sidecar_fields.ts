import { fromBase64, toBase64 } from "../base/base64.ts";
import type { Bytes } from "../base/bytes.ts";
import { CREATED_MS_MAX } from "../base/data_key.ts";
import { SidecarMalformedError } from "./errors.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";

/** Characters of a refused value that a message shows. */
const SHOWN_MAX = 60;

export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/**
 * The fields of one object of a sidecar, by name.
 *
 * Every field has one form only, so that what was read is written again as it
 * was, and the MAC can be made over that. All methods throw
 * `SidecarMalformedError`, which names the field.
 */
export class SidecarFields {
  readonly #path: string;
  readonly #place: string;
  readonly #object: JsonObject;

  /** @throws {SidecarMalformedError} When `value` has other fields. */
  constructor(
    options: { readonly path: string; readonly place: string },
    value: JsonValue,
    names: readonly string[],
  ) {
    this.#path = options.path;
    this.#place = options.place;
    if (!isObject(value)) this.#refuse("", "an object", value);
    this.#object = value;
    for (const name of value.keys()) {
      if (names.includes(name)) continue;
      this.refuse(name.slice(0, SHOWN_MAX), "no such field is known");
    }
    for (const name of names) {
      if (!value.has(name)) this.refuse(name, "it must be there");
    }
  }

  /** A string that `parse` takes: it returns `null` for others. */
  text<T>(name: string, rule: string, parse: (text: string) => T | null): T {
    const value = this.#object.get(name);
    const parsed = typeof value === "string" ? parse(value) : null;
    return parsed ?? this.#refuse(name, rule, value);
  }

  choice<T extends string>(name: string, of: readonly T[]): T {
    const parse = (text: string) => of.find((item) => item === text) ?? null;
    return this.text(name, `one of ${of.join(", ")}`, parse);
  }

  integer(name: string, { min, max }: IntegerRange): number {
    const value = this.#object.get(name);
    return typeof value === "number" && value >= min && value <= max
      ? value
      : this.#refuse(name, `an integer of ${min} to ${max}`, value);
  }

  /** A log index: decimal digits in a string, as JSON numbers lose some. */
  index(name: string): number {
    return this.text(name, "digits in a string, below 2^53", parseIndex);
  }

  /** Unix ms. */
  time(name: string): number {
    return this.text(name, 'a time like "2026-04-29T10:00:00Z"', parseTime);
  }

  bytes(name: string, { min, max }: IntegerRange): Bytes {
    const length = min === max ? `${min}` : `${min} to ${max}`;
    return this.text(name, `base64 of ${length} bytes`, (text) => {
      const bytes = parseBytes(text);
      if (bytes === null) return null;
      return bytes.length >= min && bytes.length <= max ? bytes : null;
    });
  }

  object(name: string, names: readonly string[]): SidecarFields {
    return new SidecarFields(this.#below(name), this.#value(name), names);
  }

  /** Names and values of an object whose names are data. */
  entries(name: string, countMax: number): [name: string, JsonValue][] {
    const value = this.#value(name);
    if (!isObject(value) || value.size === 0 || value.size > countMax) {
      this.refuse(name, `an object of 1 to ${countMax} fields`);
    }
    return [...value];
  }

  /** One field of `name` as an object. */
  entry(name: string, [key, value]: [string, JsonValue], names: string[]) {
    return new SidecarFields(this.#below(`${name}.${key}`), value, names);
  }

  /** Items of an array, each an object. */
  items(
    name: string,
    countMax: number,
    names: readonly string[],
  ): SidecarFields[] {
    const value = this.#value(name);
    if (
      typeof value === "string" || typeof value === "number" ||
      isObject(value) || value.length === 0 || value.length > countMax
    ) {
      this.refuse(name, `an array of 1 to ${countMax} objects`);
    }
    return value.map((item, i) =>
      new SidecarFields(this.#below(`${name}.${i}`), item, names)
    );
  }

  refuse(name: string, rule: string, options?: ErrorOptions): never {
    const { place } = this.#below(name);
    throw new SidecarMalformedError(this.#path, place, rule, options);
  }

  #refuse(name: string, rule: string, value: unknown): never {
    const shown = value instanceof Map || Array.isArray(value)
      ? "an object or array"
      : JSON.stringify(value)?.slice(0, SHOWN_MAX) ?? "absent";
    return this.refuse(name, `it must be ${rule}: current value is ${shown}`);
  }

  #value(name: string): JsonValue {
    return this.#object.get(name) ?? this.refuse(name, "it must be there");
  }

  #below(name: string): { readonly path: string; readonly place: string } {
    const parts = [this.#place, name].filter((part) => part !== "");
    return { path: this.#path, place: parts.join(".") };
  }
}

/** Mirrors `SidecarFields.time`: without fraction for a whole second. */
export function formatTime(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(".000Z", "Z");
}

function parseTime(text: string): number | null {
  const unixMs = Date.parse(text);
  const isTime = unixMs >= 0 && unixMs <= CREATED_MS_MAX;
  return isTime && formatTime(unixMs) === text ? unixMs : null;
}

function parseIndex(text: string): number | null {
  const isDecimal = /^(?:0|[1-9][0-9]{0,15})$/.test(text);
  return isDecimal && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

function parseBytes(text: string): Bytes | null {
  const bytes = fromBase64(text);
  // Bits of the last character that no byte takes must be 0.
  return bytes !== null && toBase64(bytes) === text ? bytes : null;
}
