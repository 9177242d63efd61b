import assert from "node:assert/strict";
import type { Rates } from "../../../tui/dashboard/rates.ts";
import { trafficRows } from "../../../tui/dashboard/traffic_rows.ts";

const RATES: Rates = {
  requests: 3_612,
  p50: { ms: 0.8, isOver: false },
  p99: { ms: 10_000, isOver: true },
  proposals: 400,
  walSyncs: 9.5,
  walBytes: 1_048_576,
};

function texts(course: readonly (Rates | null)[], count = 6) {
  return trafficRows(course, count).map((
    { label, now, peak },
  ) => [label, now, peak]);
}

Deno.test("trafficRows() show as many figures as there is room for", () => {
  assert.deepEqual(texts([{ ...RATES, requests: 5_000 }, RATES]), [
    ["requests", "3,612/s", "5,000/s"],
    ["p50", "0.80 ms", "0.80 ms"],
    ["p99", ">10 s", "10 s"],
    ["log bytes", "1.0 MiB/s", "1.0 MiB/s"],
    ["log syncs", "9.5/s", "9.5/s"],
    ["proposals", "400/s", "400/s"],
  ]);
  assert.equal(texts([RATES], 3).length, 3);
});

Deno.test("trafficRows() show gaps, and nothing before the second look", () => {
  assert.deepEqual(texts([RATES, null], 1), [["requests", "-", "3,612/s"]]);
  assert.deepEqual(texts([], 2), [["requests", "-", ""], ["p50", "-", ""]]);
  const quiet = { ...RATES, requests: 0, p50: null };
  assert.deepEqual(texts([quiet], 2), [["requests", "0/s", "0/s"], [
    "p50",
    "-",
    "",
  ]]);
  const [row] = trafficRows([RATES, null], 1);
  assert.deepEqual(row?.values, [3_612, null]);
});
