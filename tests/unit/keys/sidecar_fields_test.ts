import assert from "node:assert/strict";
import { CREATED_MS_MAX } from "../../../src/base/data_key.ts";
import { SidecarMalformedError } from "../../../src/keys/errors.ts";
import { parseJson } from "../../../src/keys/json.ts";
import { formatTime, SidecarFields } from "../../../src/keys/sidecar_fields.ts";

function fieldsOf(text: string, ...names: string[]): SidecarFields {
  return new SidecarFields({ path: "f", place: "" }, parseJson(text), names);
}

function refusedAt(field: string) {
  return (error: unknown) => {
    assert.ok(error instanceof SidecarMalformedError);
    assert.equal(error.field, field);
    return true;
  };
}

const TIMES: [text: string, unixMs: number | null][] = [
  ["1970-01-01T00:00:00Z", 0],
  ["2026-04-29T10:00:00Z", 1777456800000],
  ["2026-04-29T10:00:00.001Z", 1777456800001],
  ["2026-04-29T10:00:00.120Z", 1777456800120],
  ["9999-12-31T23:59:59.999Z", CREATED_MS_MAX],
  ["2026-04-29T10:00:00.000Z", null],
  ["2026-04-29T10:00:00.12Z", null],
  ["2026-04-29T10:00:00.1200Z", null],
  ["2026-04-29T10:00:00", null],
  ["2026-04-29T10:00:00+00:00", null],
  ["2026-04-29T10:00Z", null],
  ["2026-04-29", null],
  ["2026-02-30T10:00:00Z", null],
  ["2026-04-29T24:00:00Z", null],
  ["1969-12-31T23:59:59Z", null],
  ["+010000-01-01T00:00:00Z", null],
  ["29 April 2026", null],
  ["", null],
];

for (const [text, unixMs] of TIMES) {
  Deno.test(`time() takes "${text}" as ${unixMs}`, () => {
    const fields = fieldsOf(JSON.stringify({ t: text }), "t");
    if (unixMs === null) assert.throws(() => fields.time("t"), refusedAt("t"));
    else {
      assert.equal(fields.time("t"), unixMs);
      assert.equal(formatTime(unixMs), text);
    }
  });
}

const INDEXES: [json: string, index: number | null][] = [
  ['"0"', 0],
  ['"184273"', 184273],
  ['"9007199254740991"', Number.MAX_SAFE_INTEGER],
  ['"9007199254740992"', null],
  ['"18446744073709551615"', null],
  ['"01"', null],
  ['"-1"', null],
  ['"+1"', null],
  ['"1.0"', null],
  ['"1e3"', null],
  ['" 1"', null],
  ['""', null],
  ["7", null],
];

for (const [json, index] of INDEXES) {
  Deno.test(`index() takes ${json} as ${index}`, () => {
    const fields = fieldsOf(`{"i":${json}}`, "i");
    if (index !== null) assert.equal(fields.index("i"), index);
    else assert.throws(() => fields.index("i"), refusedAt("i"));
  });
}

const BASE64: [json: string, length: number | null][] = [
  ['"AAAA"', 3],
  ['"AAA="', 2],
  ['"AAAAAA=="', 4],
  // Bits that no byte takes.
  ['"AAB="', null],
  ['"AAAAAB=="', null],
  ['"AA=="', null],
  ['"AAAAAAA="', null],
  ['"AA"', null],
  ['"AA-_"', null],
  ['"AAA=\\n"', null],
  ['""', null],
  ["4", null],
];

for (const [json, length] of BASE64) {
  Deno.test(`bytes() takes ${json} as ${length} bytes of 2 to 4`, () => {
    const fields = fieldsOf(`{"b":${json}}`, "b");
    const read = () => fields.bytes("b", { min: 2, max: 4 });
    if (length !== null) assert.equal(read().length, length);
    else assert.throws(read, refusedAt("b"));
  });
}

Deno.test("integer() takes a range with its ends", () => {
  const range = { min: 1, max: 3 };
  for (const value of [1, 3]) {
    assert.equal(fieldsOf(`{"n":${value}}`, "n").integer("n", range), value);
  }
  for (const json of ["0", "4", '"1"', "[1]"]) {
    const fields = fieldsOf(`{"n":${json}}`, "n");
    assert.throws(() => fields.integer("n", range), refusedAt("n"));
  }
});

Deno.test("an object has the named fields and no others", () => {
  assert.throws(() => fieldsOf("{}", "a"), refusedAt("a"));
  assert.throws(() => fieldsOf('{"a":1,"b":2}', "a"), refusedAt("b"));
  assert.throws(() => fieldsOf("[]", "a"), refusedAt(""));
  assert.throws(() => fieldsOf('"a"', "a"), refusedAt(""));
});

Deno.test("places below an object are named by their way there", () => {
  const text = '{"a":{"b":{"c":1}},"l":[{"d":1},{"e":1}]}';
  const fields = fieldsOf(text, "a", "l");
  const b = fields.object("a", ["b"]).object("b", ["c"]);
  assert.throws(() => b.text("c", "text", String), refusedAt("a.b.c"));
  assert.throws(() => fields.items("l", 2, ["d"]), refusedAt("l.1.e"));
  assert.throws(() => fields.items("l", 1, ["d"]), refusedAt("l"));
  assert.throws(() => fields.items("a", 1, ["d"]), refusedAt("a"));
  const [entry] = fields.entries("a", 1);
  assert.ok(entry !== undefined);
  assert.throws(() => fields.entry("a", entry, ["x"]), refusedAt("a.b.c"));
});

Deno.test("entries() bounds the count", () => {
  for (const json of ["{}", '{"a":1,"b":1}', "[]", '"a"', "1"]) {
    const fields = fieldsOf(`{"o":${json}}`, "o");
    assert.throws(() => fields.entries("o", 1), refusedAt("o"), json);
  }
});

Deno.test("a refusal shows the value, not too much of it", () => {
  const fields = fieldsOf(`{"a":"${"x".repeat(500)}"}`, "a");
  const choose = () => fields.choice("a", ["b", "c"]);
  assert.throws(choose, (error) => {
    assert.ok(error instanceof SidecarMalformedError);
    assert.match(error.message, /field "a", as it must be one of b, c: /);
    assert.match(error.message, /current value is "xxx/);
    assert.ok(error.message.length < 200);
    return true;
  });
});
