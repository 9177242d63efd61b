import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { suffixKey, versionstampOf } from "../../../src/fsm/versionstamp.ts";

const CASES: [index: number, position: number, hex: string][] = [
  [1, 0, "00000000000000010000"],
  [1, 65_535, "0000000000000001ffff"],
  [0x1234, 0x56, "00000000000012340056"],
  [2 ** 53 - 1, 2, "001fffffffffffff0002"],
];

for (const [index, position, hex] of CASES) {
  Deno.test(`versionstampOf() writes ${index}, ${position} as ${hex}`, () => {
    assert.equal(toHex(versionstampOf(index, position)), hex);
  });
}

Deno.test("versionstampOf() is never zero", () => {
  assert.throws(() => versionstampOf(0, 1), InvariantError);
});

Deno.test("suffixKey() appends a string part", () => {
  assert.deepEqual(
    suffixKey(utf8("\x02a\x00"), versionstampOf(0xab, 1)),
    utf8("\x02a\x00\x0200000000000000ab0001\x00"),
  );
  assert.equal(suffixKey(new Uint8Array(0), versionstampOf(1, 0)).length, 22);
});
