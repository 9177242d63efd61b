import assert from "node:assert/strict";
import { equalConstantTime } from "../../../src/crypto/constant_time.ts";

const CASES: [a: number[], b: number[], equal: boolean][] = [
  [[], [], true],
  [[1, 2, 3], [1, 2, 3], true],
  [[1, 2, 3], [1, 2, 4], false],
  [[0, 2, 3], [1, 2, 3], false],
  [[1, 2], [1, 2, 0], false],
  [[], [0], false],
  [[255], [127], false],
];

for (const [a, b, equal] of CASES) {
  Deno.test(`equalConstantTime() of [${a}] and [${b}] is ${equal}`, () => {
    assert.equal(
      equalConstantTime(Uint8Array.from(a), Uint8Array.from(b)),
      equal,
    );
  });
}
