import assert from "node:assert/strict";
import {
  ageText,
  countText,
  latencyText,
  percentText,
  thousands,
} from "../../../tui/dashboard/amount.ts";

Deno.test("countText() takes at most 6 characters", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0"],
    [0.04, "0.0"],
    [1, "1"],
    [7.25, "7.3"],
    [9.96, "10"],
    [812.4, "812"],
    [9_999.4, "9,999"],
    [9_999.6, "10.0k"],
    [12_345, "12.3k"],
    [999_499, "999k"],
    [999_501, "1.0M"],
    [4_100_000, "4.1M"],
    [7.7e12, "7.7T"],
  ];
  for (const [count, text] of cases) assert.equal(countText(count), text);
  for (let count = 0.013; count < 1e14; count *= 1.013) {
    assert.ok(countText(count).length <= 6, `${count}`);
  }
});

Deno.test("latencyText() takes at most 7 characters", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.054, "0.05 ms"],
    [0.994, "0.99 ms"],
    [0.996, "1.0 ms"],
    [9.96, "10 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [10_000, "10 s"],
  ];
  for (const [ms, text] of cases) assert.equal(latencyText(ms), text);
});

Deno.test("ageText() names the largest unit that fills", () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5_000, "0 s"],
    [999, "0 s"],
    [119_999, "119 s"],
    [120_000, "2 min"],
    [7_199_999, "119 min"],
    [7_200_000, "2 h"],
    [172_799_999, "47 h"],
    [172_800_000, "2 d"],
  ];
  for (const [ms, text] of cases) assert.equal(ageText(ms), text);
});

Deno.test("percentText() says 100 % of all of it only", () => {
  assert.equal(percentText(0.9999), "99 %");
  assert.equal(percentText(1), "100 %");
  assert.equal(percentText(1.2), "100 %");
  assert.equal(percentText(-0.1), "0 %");
});

Deno.test("thousands() are read by people", () => {
  assert.equal(thousands(1_234_567), "1,234,567");
  assert.equal(thousands(812n), "812");
});
