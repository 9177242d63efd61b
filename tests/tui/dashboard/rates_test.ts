import assert from "node:assert/strict";
import {
  newest,
  NO_HISTORY,
  withLook,
} from "../../../tui/dashboard/history.ts";
import {
  clusterRates,
  quantileOf,
  ratesBetween,
} from "../../../tui/dashboard/rates.ts";
import type { Vitals } from "../../../src/admin/client.ts";
import { silentVitals, vitalsAt } from "./seen_cluster.ts";

function at(second: number, more: Partial<Vitals> = {}): Vitals {
  const { vitals } = vitalsAt("n1", second, more);
  assert.ok(vitals);
  return vitals;
}

Deno.test("ratesBetween() counts by the member's own clock", () => {
  const rates = ratesBetween(at(10), at(12));
  assert.ok(rates);
  const { p50, p99, ...others } = rates;
  assert.deepEqual(p50, { ms: 1, isOver: false });
  assert.equal(p99?.ms.toFixed(2), "9.82");
  assert.deepEqual(others, {
    requests: 1_000,
    proposals: 200,
    walSyncs: 100,
    walBytes: 262_144,
  });
});

Deno.test("ratesBetween() knows nothing of a member that began anew", () => {
  assert.equal(ratesBetween(at(10), at(2)), null);
  assert.equal(ratesBetween(at(10), at(10)), null);
  // Its uptime has passed the old one, its counts have not.
  assert.equal(ratesBetween(at(10), at(11, { requests: 3n })), null);
});

Deno.test("ratesBetween() has no latency without requests", () => {
  const before = at(10);
  const { requests, latency } = before;
  const rates = ratesBetween(before, at(11, { requests, latency }));
  assert.deepEqual([rates?.requests, rates?.p50, rates?.p99], [0, null, null]);
});

Deno.test("quantileOf() is even within a bucket, and honest above all", () => {
  const latency = [
    { bound: 0.001, count: 0 },
    { bound: 0.005, count: 80 },
    { bound: 0.02, count: 80 },
    { bound: 10, count: 95 },
    { bound: Infinity, count: 100 },
  ];
  const cases = [
    [0.4, 3, false],
    [0.8, 5, false],
    [0.95, 10_000, false],
    [0.99, 10_000, true],
    [1, 10_000, true],
  ] as const;
  for (const [share, ms, isOver] of cases) {
    const found = quantileOf(latency, share);
    assert.ok(found !== null && Math.abs(found.ms - ms) < 1e-9, `${share}`);
    assert.equal(found.isOver, isOver);
  }
  assert.equal(quantileOf([], 0.5), null);
});

Deno.test("clusterRates() sums up who answered both looks", () => {
  const before = [vitalsAt("n1", 10), vitalsAt("n2", 50), silentVitals("n3")];
  const after = [vitalsAt("n1", 11), vitalsAt("n2", 51), vitalsAt("n3", 3)];
  assert.equal(clusterRates(before, after)?.requests, 2_000);
  assert.equal(clusterRates(before, [vitalsAt("n3", 3)]), null);
  assert.equal(clusterRates([], after), null);
});

Deno.test("clusterRates() merges latencies, of other bounds too", () => {
  const zero = { latency: [], requests: 0n };
  const before = [vitalsAt("n1", 1, zero), vitalsAt("n2", 1, zero)];
  const fast = [{ bound: 0.002, count: 99n }, { bound: Infinity, count: 99n }];
  const slow = [{ bound: 1, count: 1n }, { bound: Infinity, count: 1n }];
  const after = [
    vitalsAt("n1", 2, { latency: fast }),
    vitalsAt("n2", 2, { latency: slow }),
  ];
  const rates = clusterRates(before, after);
  assert.deepEqual(rates?.p99, { ms: 2, isOver: false });
});

Deno.test("withLook() keeps a course each, with gaps", () => {
  const looks = [
    [vitalsAt("n1", 1), vitalsAt("n2", 1)],
    [vitalsAt("n1", 2), silentVitals("n2")],
    [vitalsAt("n1", 3), vitalsAt("n2", 3)],
    [vitalsAt("n1", 4), vitalsAt("n2", 4)],
  ];
  const history = looks.reduce(withLook, NO_HISTORY);
  const requests = (course: typeof history.cluster) =>
    course.map((rates) => rates?.requests ?? null);
  assert.deepEqual(requests(history.cluster), [1_000, 1_000, 2_000]);
  assert.deepEqual(
    requests(history.members.get("n2") ?? []),
    [null, null, 1_000],
  );
  assert.equal(newest([]), null);
  const without = withLook(history, [vitalsAt("n1", 5)]);
  assert.deepEqual([...without.members.keys()], ["n1"]);
});

Deno.test("withLook() keeps no more than a screen can show", () => {
  let history = NO_HISTORY;
  for (let second = 1; second < 400; second += 1) {
    history = withLook(history, [vitalsAt("n1", second)]);
  }
  assert.equal(history.cluster.length, 300);
});
