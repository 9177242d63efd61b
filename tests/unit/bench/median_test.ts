import assert from "node:assert/strict";
import { median, medianFigures } from "../../../src/bench/median.ts";

const CASES: [values: number[], expected: number][] = [
  [[7], 7],
  [[9, 1], 5],
  [[10, 2, 9], 9],
  [[4, 1, 3, 2], 2.5],
];

for (const [values, expected] of CASES) {
  Deno.test(`median() of [${values}] is ${expected}`, () => {
    assert.equal(median(values), expected);
  });
}

Deno.test("median() leaves its input as it is", () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

Deno.test("medianFigures() takes each figure by itself, and the worst of all", () => {
  const round = (perSecond: number, ms: number) => ({
    count: 10,
    perSecond,
    p50Ms: ms,
    p99Ms: ms * 2,
    p999Ms: ms * 3,
    maxMs: ms * 4,
  });
  assert.deepEqual(
    medianFigures([round(100, 3), round(300, 1), round(200, 2)]),
    {
      count: 30,
      perSecond: 200,
      p50Ms: 2,
      p99Ms: 4,
      p999Ms: 6,
      maxMs: 12,
    },
  );
});
