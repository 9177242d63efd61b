import assert from "node:assert/strict";
import {
  canonicalJson,
  JsonFault,
  type JsonValue,
  parseJson,
  prettyJson,
} from "../../../src/keys/json.ts";

const READ: [text: string, value: JsonValue][] = [
  ['"a"', "a"],
  ['"\\u0041\\n\\ud83d\\ude00"', "A\n😀"],
  [" 7 ", 7],
  ["-7", -7],
  ["0", 0],
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ["[]", []],
  ["[ 1 ,\t[2]\r\n]", [1, [2]]],
  ["{}", new Map()],
  [
    '{"b":1,"a":{"c":[]}}',
    new Map<string, JsonValue>([["b", 1], ["a", new Map([["c", []]])]]),
  ],
  ['{"__proto__":1}', new Map([["__proto__", 1]])],
  ["[".repeat(8) + "1" + "]".repeat(8), [[[[[[[[1]]]]]]]]],
];

for (const [text, value] of READ) {
  Deno.test(`parseJson() reads ${text}`, () => {
    assert.deepEqual(parseJson(text), value);
  });
}

const REFUSED: [what: string, text: string][] = [
  ["nothing", ""],
  ["spaces", "  "],
  ["a word", "x"],
  ["true", "true"],
  ["false", "[false]"],
  ["null", "null"],
  ["a fraction", "1.5"],
  ["a fraction of zeros", "1.0"],
  ["an exponent", "1e3"],
  ["a leading zero", "01"],
  ["a plus", "+1"],
  ["a lone minus", "-"],
  ["minus zero", "-0"],
  ["2^53", "9007199254740992"],
  ["a long number", "1".repeat(400)],
  ["two values", "1 2"],
  ["what follows", "{} x"],
  ["a byte order mark", "\ufeff1"],
  ["another space", "\u00a01"],
  ["a name twice", '{"a":1,"a":1}'],
  ["a name twice, once escaped", '{"a":1,"\\u0061":1}'],
  ["a name twice below", '[{"b":{"a":1,"c":2,"a":3}}]'],
  ["a trailing comma", "[1,]"],
  ["a trailing comma in an object", '{"a":1,}'],
  ["a missing comma", "[1 2]"],
  ["a missing colon", '{"a" 1}'],
  ["a missing value", '{"a":}'],
  ["a name that is no string", "{1:1}"],
  ["an open array", "[1"],
  ["an open object", '{"a":1'],
  ["an open string", '"a'],
  ["a line break in a string", '"a\nb"'],
  ["an unknown escape", '"\\x"'],
  ["half an escape", '"\\u12"'],
  ["a lone surrogate", '"\\ud800"'],
  ["a comment", "/* */ 1"],
  ["nine arrays deep", "[".repeat(9) + "1" + "]".repeat(9)],
  ["a million arrays deep", "[".repeat(1_000_000)],
];

for (const [what, text] of REFUSED) {
  Deno.test(`parseJson() refuses ${what}`, () => {
    assert.throws(() => parseJson(text), JsonFault);
  });
}

Deno.test("parseJson() says which name comes twice, and where", () => {
  const refuse = () => parseJson('{"local_epoch":1, "local_epoch":2}');
  assert.throws(refuse, (error) => {
    assert.ok(error instanceof JsonFault);
    assert.match(error.message, /"local_epoch"/);
    assert.equal(error.at, 31);
    return true;
  });
});

Deno.test("canonicalJson() sorts by UTF-16 units and leaves no spaces", () => {
  // RFC 8785 §3.2.3, without what a sidecar cannot hold.
  const names = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080"];
  const value = new Map<string, JsonValue>(
    [...names, "\u00f6"].map((name, i) => [name, i]),
  );
  assert.equal(
    canonicalJson(value),
    '{"\\r":1,"1":3,"\u0080":5,"\u00f6":6,"\u20ac":0,"\ud83d\ude00":4,' +
      '"\ufb33":2}',
  );
});

Deno.test("canonicalJson() escapes as RFC 8785 §3.2.2.2 says", () => {
  assert.equal(
    canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/'),
    '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
  );
});

Deno.test("prettyJson() reads back as the same value", () => {
  const value = new Map<string, JsonValue>([
    ["b", [1, "x", new Map([["7", "y"]])]],
    ["a", -3],
  ]);
  const text = prettyJson(value);
  assert.equal(canonicalJson(parseJson(text)), canonicalJson(value));
  assert.match(text, /^\{\n {2}"b": \[\n[^]*\}\n$/);
});
