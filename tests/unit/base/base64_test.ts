import assert from "node:assert/strict";
import { fromBase64, toBase64 } from "../../../src/base/base64.ts";

const CASES: [bytes: number[], text: string][] = [
  [[], ""],
  [[0], "AA=="],
  [[255, 0], "/wA="],
  [[1, 2, 3], "AQID"],
];

for (const [bytes, text] of CASES) {
  Deno.test(`base64 of [${bytes}] is "${text}" and back`, () => {
    assert.equal(toBase64(Uint8Array.from(bytes)), text);
    assert.deepEqual([...fromBase64(text) ?? [-1]], bytes);
  });
}

Deno.test("base64 takes more than one chunk", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
});

Deno.test("fromBase64() refuses what has other characters or no padding", () => {
  for (
    const text of ["A", "AA", "AAA", "AA=", " AAA", "AA==\n", "A-__", "===="]
  ) {
    assert.equal(fromBase64(text), null, text);
  }
});
