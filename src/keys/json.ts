/** What a sidecar is made of: no fractions, no `true`, `false` or `null`. */
export type JsonValue = string | number | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Objects and arrays inside each other; a sidecar has five. */
const DEPTH_MAX = 8;
/** Characters of a name that a message shows. */
const NAME_SHOWN_MAX = 40;

const SPACE = /[ \t\n\r]*/y;
// deno-lint-ignore no-control-regex
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;

/** Text that `parseJson` does not take; `at` is an offset in it. */
export class JsonFault extends Error {
  override readonly name = "JsonFault";

  constructor(readonly rule: string, readonly at: number) {
    super(`Cannot read JSON at offset ${at} as ${rule}`);
  }
}

/**
 * Reads JSON text that consists of `JsonValue`s.
 *
 * Stricter than `JSON.parse`: a name twice in one object is refused, and so
 * are numbers that are no safe integer, or -0. Work and memory are in
 * proportion to the text.
 *
 * Source: RFC 8259; RFC 7493 (I-JSON) for names and numbers.
 *
 * @throws {JsonFault}
 */
export function parseJson(text: string): JsonValue {
  return new JsonReader(text).document();
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#match(SPACE);
    if (this.#at < this.#text.length) this.#refuse("nothing follows the value");
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > DEPTH_MAX) this.#refuse(`it nests at most ${DEPTH_MAX} deep`);
    if (this.#takes("{")) return this.#object(depth + 1);
    if (this.#takes("[")) return this.#array(depth + 1);
    return this.#string() ?? this.#integer() ??
      this.#refuse("a value is an object, array, string or integer");
  }

  #object(depth: number): JsonObject {
    const fields = new Map<string, JsonValue>();
    if (this.#takes("}")) return fields;
    for (;;) {
      const name = this.#string() ?? this.#refuse("a name is a string");
      if (fields.has(name)) {
        const shown = JSON.stringify(name.slice(0, NAME_SHOWN_MAX));
        this.#refuse(`the name ${shown} may come once`);
      }
      if (!this.#takes(":")) this.#refuse("a name is followed by a colon");
      fields.set(name, this.#value(depth));
      if (this.#takes("}")) return fields;
      if (!this.#takes(",")) this.#refuse("a comma parts the fields");
    }
  }

  #array(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    if (this.#takes("]")) return items;
    for (;;) {
      items.push(this.#value(depth));
      if (this.#takes("]")) return items;
      if (!this.#takes(",")) this.#refuse("a comma parts the items");
    }
  }

  #string(): string | null {
    this.#match(SPACE);
    const token = this.#match(STRING);
    if (token === null) return null;
    const text: unknown = JSON.parse(token);
    return typeof text === "string" && text.isWellFormed()
      ? text
      : this.#refuse("a string has no lone surrogates");
  }

  #integer(): number | null {
    const token = this.#match(INTEGER);
    if (token === null) return null;
    const value = Number(token);
    return Number.isSafeInteger(value) && !Object.is(value, -0)
      ? value
      : this.#refuse("a number is a safe integer");
  }

  #takes(mark: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #refuse(rule: string): never {
    throw new JsonFault(rule, this.#at);
  }
}

/**
 * The one text of `value` that a MAC is made over: no spaces, names in the
 * order of their UTF-16 units.
 *
 * Source: RFC 8785 §3.2, for integers.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === "string" || typeof value === "number") {
    return JSON.stringify(value);
  }
  if (isObject(value)) {
    const fields = [...value].sort(([a], [b]) => a < b ? -1 : 1).map(
      ([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item)}`,
    );
    return `{${fields.join(",")}}`;
  }
  return `[${value.map(canonicalJson).join(",")}]`;
}

/** `value` for people to read; a line break at the end. */
export function prettyJson(value: JsonValue): string {
  const plain = (_: string, item: unknown) =>
    item instanceof Map ? Object.fromEntries(item) : item;
  return `${JSON.stringify(value, plain, 2)}\n`;
}

export function isObject(value: JsonValue): value is JsonObject {
  return value instanceof Map;
}
