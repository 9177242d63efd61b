import assert from "node:assert/strict";
import { DURATION_MS_MAX, parseDuration } from "../../../src/cli/duration.ts";

const GOOD: [text: string, durationMs: number][] = [
  ["1ms", 1],
  ["10s", 10_000],
  ["5m", 300_000],
  ["2h", 7_200_000],
  ["366d", DURATION_MS_MAX],
];
for (const [text, durationMs] of GOOD) {
  Deno.test(`parseDuration() reads ${text}`, () => {
    assert.equal(parseDuration(text), durationMs);
  });
}

const BAD = ["", "10", "s", "0s", "-1s", "1.5s", "367d", "1 s", "1w", "1s\n"];
for (const text of BAD) {
  Deno.test(`parseDuration() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseDuration(text), null);
  });
}
