import assert from "node:assert/strict";
import { Latencies } from "../../../src/bench/latency.ts";

Deno.test("Latencies.figures() ranks exactly", () => {
  const latencies = new Latencies();
  for (let ms = 1000; ms >= 1; ms -= 1) latencies.add(ms);
  assert.deepEqual(latencies.figures(2_000), {
    count: 1_000,
    perSecond: 500,
    p50Ms: 500,
    p99Ms: 990,
    p999Ms: 999,
    maxMs: 1_000,
  });
});

Deno.test("Latencies.add() keeps more than its first block", () => {
  const latencies = new Latencies();
  for (let i = 0; i < 70_000; i += 1) latencies.add(i);
  assert.equal(latencies.figures(1).maxMs, 69_999);
});
