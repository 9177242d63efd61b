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
import { VALUES } from "./values.ts";

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
