import assert from "node:assert/strict";
import { InputInvalidError } from "../../../../src/cli/errors.ts";
import { keyToJson, parseKey } from "../../../../src/cli/kv/key_syntax.ts";

const GOOD: [text: string, key: Deno.KvKey][] = [
  ["users", ["users"]],
  ["users/1/name", ["users", "1", "name"]],
  ["/users", ["users"]],
  ['["users",1,true,1.5]', ["users", 1, true, 1.5]],
  ['[{"$bigint":"7"},{"$bytes":"AAE="}]', [7n, new Uint8Array([0, 1])]],
  ['[{"$number":"-0"},{"$number":"NaN"}]', [-0, NaN]],
  ["[]", []],
];
for (const [text, key] of GOOD) {
  Deno.test(`parseKey() reads ${text}`, () => {
    assert.deepStrictEqual(parseKey(text), key);
    assert.deepStrictEqual(parseKey(JSON.stringify(keyToJson(key))), key);
  });
}

const BAD = ["", "/", "a//b", "a/", "[1", '[{"a":1}]', "[null]", "[[1]]"];
for (const text of BAD) {
  Deno.test(`parseKey() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseKey(text), InputInvalidError);
  });
}
