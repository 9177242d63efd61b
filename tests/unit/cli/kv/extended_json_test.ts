import assert from "node:assert/strict";
import {
  InputInvalidError,
  ValueUnsupportedError,
} from "../../../../src/cli/errors.ts";
import {
  DEPTH_MAX,
  fromExtendedJson,
  type JsonValue,
  toExtendedJson,
} from "../../../../src/cli/kv/extended_json.ts";

const holes: unknown[] = [1, , undefined, 3];
holes.length = 6;
const rangeError = new RangeError("far", { cause: new Error("near") });

export const VALUES: readonly [name: string, value: unknown][] = [
  ["null", null],
  ["true", true],
  ["a number", 1.5],
  ["-0", -0],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["text", "naïve \u0000 \ud800 😀"],
  ["undefined", undefined],
  ["a bigint", -(2n ** 200n)],
  ["a u64", new Deno.KvU64(2n ** 64n - 1n)],
  ["bytes", Uint8Array.from({ length: 300 }, (_, i) => i)],
  ["no bytes", new Uint8Array(0)],
  ["a date", new Date(1)],
  ["no date", new Date(NaN)],
  ["a map", new Map<unknown, unknown>([[{ a: 1n }, new Set([1])], [null, 2]])],
  ["a set", new Set([1, "1", undefined])],
  ["a pattern", /a[/]b\n/giu],
  ["an error", rangeError],
  ["an array with holes", holes],
  ["an array buffer", new Uint8Array([1, 2, 3]).buffer],
  ["floats", new Float64Array([1.5, -0, NaN])],
  ["a part of integers", new Int16Array([1, 2, 3, 4]).subarray(1, 3)],
  ["bigints", new BigUint64Array([2n ** 64n - 1n])],
  ["a data view", new DataView(new Uint8Array([9, 8, 7]).buffer, 1)],
  ["clamped bytes", new Uint8ClampedArray([1, 255])],
  ["an object", { a: [1, { b: undefined }], $c: 1, d: {} }],
  ["a look-alike", { $bigint: "1" }],
  ["a nested look-alike", { $object: { $u64: 1 } }],
  ["an unknown look-alike", { $x: 1 }],
  ["an own __proto__", JSON.parse('{"__proto__":{"a":1}}')],
];

for (const [name, value] of VALUES) {
  Deno.test(`toExtendedJson() and back keeps ${name}`, () => {
    const text = JSON.stringify(toExtendedJson(value));
    assert.deepStrictEqual(fromExtendedJson(JSON.parse(text)), value);
  });
}

Deno.test("toExtendedJson() leaves JSON's own types as they are", () => {
  const value = { a: [1, "x", null, true, { b: {} }], c: -1.5 };
  assert.deepEqual(toExtendedJson(value), value);
});

const circle: unknown[] = [];
circle.push(circle);
const named = Object.assign([1], { x: 1 });
class Point {}

const UNSUPPORTED: [name: string, value: unknown][] = [
  ["a circle", circle],
  ["a boxed number", Object(1)],
  ["a boxed bigint", Object(1n)],
  ["a named array property", named],
  ["a class", new Point()],
  ["a function", () => {}],
  ["a symbol", Symbol("s")],
];
for (const [name, value] of UNSUPPORTED) {
  Deno.test(`toExtendedJson() refuses ${name}`, () => {
    assert.throws(() => toExtendedJson({ value }), ValueUnsupportedError);
  });
}

function nested(levels: number): JsonValue {
  let value: JsonValue = 0;
  for (let i = 0; i < levels; i += 1) value = [value];
  return value;
}

Deno.test("both directions stop at the same depth", () => {
  assert.deepEqual(toExtendedJson(nested(DEPTH_MAX)), nested(DEPTH_MAX));
  fromExtendedJson(nested(DEPTH_MAX));
  const deep = nested(DEPTH_MAX + 1);
  assert.throws(() => toExtendedJson(deep), ValueUnsupportedError);
  assert.throws(() => fromExtendedJson(deep), InputInvalidError);
});

const MALFORMED: JsonValue[] = [
  { $x: 1 },
  { $number: "1" },
  { $bigint: 1 },
  { $bigint: "1.5" },
  { $bigint: "" },
  { $u64: "-1" },
  { $u64: "18446744073709551616" },
  { $bytes: "abc" },
  { $bytes: "a-_=" },
  { $date: "yesterday" },
  { $date: true },
  { $map: [[1]] },
  { $map: {} },
  { $set: 1 },
  { $regexp: ["(", ""] },
  { $regexp: ["a", "zz"] },
  { $regexp: "a" },
  { $view: ["Uint8Array", ""] },
  { $view: ["Int16Array", "AA=="] },
  { $view: ["constructor", "AA=="] },
  { $error: { name: "Error" } },
  { $error: { name: "Error", message: "m", stack: 1 } },
  { $array: [-1, []] },
  { $array: [1, [[1, 0]]] },
  { $array: [2 ** 32, []] },
  { $object: [] },
];
for (const json of MALFORMED) {
  Deno.test(`fromExtendedJson() refuses ${JSON.stringify(json)}`, () => {
    assert.throws(() => fromExtendedJson({ a: [json] }), InputInvalidError);
  });
}
