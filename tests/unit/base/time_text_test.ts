import assert from "node:assert/strict";
import { timeText } from "../../../src/base/time_text.ts";

Deno.test("timeText() is UTC to the second, and tells what is no date", () => {
  assert.equal(timeText(1_795_435_200_999), "2026-11-23T12:00:00Z");
  assert.equal(timeText(1_795_435_200_999n), "2026-11-23T12:00:00Z");
  assert.equal(timeText(2n ** 63n), "9223372036854775808 ms");
});
