import assert from "node:assert/strict";
import fc from "fast-check";
import { InputInvalidError } from "../../src/cli/errors.ts";
import {
  fromExtendedJson,
  type JsonValue,
  toExtendedJson,
} from "../../src/cli/kv/extended_json.ts";
import { parseKey } from "../../src/cli/kv/key_syntax.ts";
import { parseRecord } from "../../src/cli/kv/record.ts";

const TAGS = ["$undefined", "$number", "$bigint", "$u64", "$bytes", "$date"]
  .concat("$map", "$set", "$regexp", "$view", "$error", "$array", "$object");

/** JSON in which the tags of our forms are likely. */
const tagged = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, "", "1", "AA==", "NaN", "Int16Array"),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.tuple(fc.constantFrom(...TAGS), tie("json"))
      .map(([tag, json]) => ({ [tag]: json })),
    fc.dictionary(fc.string(), tie("json"), { maxKeys: 3 }),
  ),
})).json;

Deno.test("toExtendedJson() and back keeps any value", () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    key: fc.oneof(fc.string(), fc.constantFrom(...TAGS)),
  });
  fc.assert(
    fc.property(value, (given) => {
      const text = JSON.stringify(toExtendedJson(given));
      const back = fromExtendedJson(JSON.parse(text));
      assert.deepEqual(back, given);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("fromExtendedJson() refuses in one way only, or means something", () => {
  fc.assert(
    fc.property(tagged, (json) => {
      const value = parsed(() => fromExtendedJson(json));
      if (value === null) return;
      const again = fromExtendedJson(toExtendedJson(value.of));
      assert.deepEqual(again, value.of);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("parseKey() and parseRecord() refuse in one way only", () => {
  const line = fc.oneof(
    fc.string(),
    tagged.map((json) => JSON.stringify(json)),
  );
  fc.assert(
    fc.property(line, (text) => {
      parsed(() => parseKey(text));
      parsed(() => parseKey(`[${text}]`));
      parsed(() => parseRecord(text));
      parsed(() => parseRecord(`{"key":[${text}],"value":${text}}`));
    }),
    { numRuns: 5_000 },
  );
});

/** What `parse` makes; `null` when it refuses as it should. */
function parsed<T>(parse: () => T): { readonly of: T } | null {
  try {
    return { of: parse() };
  } catch (error) {
    assert.ok(error instanceof InputInvalidError, String(error));
    return null;
  }
}
