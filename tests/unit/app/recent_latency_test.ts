import assert from "node:assert/strict";
import { RecentLatency } from "../../../src/app/recent_latency.ts";
import { MetricRegistry } from "../../../src/base/metrics.ts";
import {
  replyLatency,
  RequestMetrics,
} from "../../../src/kvconnect/request_metrics.ts";
import { SimClock } from "../../sim/io/clock.ts";

Deno.test("RecentLatency counts requests of the last five minutes", async () => {
  const clock = new SimClock();
  const metrics = new MetricRegistry();
  const requests = new RequestMetrics(metrics);
  const recent = new RecentLatency(() => replyLatency(metrics), clock);
  const seen = () => recent.tell().at(-1)?.count;
  assert.equal(seen(), 0);
  requests.onReply("atomic_write", 200, 4_000);
  assert.equal(seen(), 1);
  await clock.run(200_000);
  requests.onReply("snapshot_read", 200, 0.2);
  assert.equal(seen(), 2);
  // The slow one is older than five minutes now, the fast one is not.
  await clock.run(131_000);
  assert.deepEqual(
    recent.tell().filter(({ bound }) => [0.0005, Infinity].includes(bound)),
    [{ bound: 0.0005, count: 1 }, { bound: Infinity, count: 1 }],
  );
  await clock.run(200_000);
  assert.equal(seen(), 0);
  requests.onReply("atomic_write", 200, 20);
  recent.close();
  // Nobody samples any more, so nothing goes out of the window.
  await clock.run(900_000);
  assert.equal(seen(), 1);
});
