import assert from "node:assert/strict";
import { nodeVitals } from "../../../src/app/node_vitals.ts";
import { MetricRegistry } from "../../../src/base/metrics.ts";
import { RequestMetrics } from "../../../src/kvconnect/request_metrics.ts";
import { SimClock } from "../../sim/io/clock.ts";

Deno.test("nodeVitals() tells what the parts have counted", async () => {
  const clock = new SimClock();
  await clock.run(4_000);
  const metrics = new MetricRegistry();
  const requests = new RequestMetrics(metrics);
  const seals = new Map([[9, 2], [7, 1]]);
  const dirs: string[] = [];
  const vitals = nodeVitals({
    ...{ node: "n1", dataDir: "/data", metrics, clock },
    process: { residentBytes: () => 4_096 },
    spaceOf(path) {
      dirs.push(path);
      return Promise.resolve({ freeBytes: 5n, totalBytes: 2n ** 60n });
    },
    counters: () => ({
      raft: { proposals: 1, elections: 2, leaderMs: 11.7 },
      wal: { syncs: 3, bytesWritten: 4 },
    }),
    seals: () => seals,
    recentLatency: () => [{ bound: Infinity, count: 6 }],
    backups: () => [{ ageMs: 9n, index: 8n }],
    storePath: () => "/data/store-7.sqlite",
    bytesOf: (path) => Promise.resolve(path.endsWith("-7.sqlite") ? 10n : 0n),
  });
  await clock.run(2_500);
  requests.onReply("snapshot_read", 200, 0.4);
  requests.onReply("snapshot_read", 503, 9_000);
  requests.onReply("atomic_write", 200, 20);
  requests.onReply("watch", 200, 1);
  requests.onExchange(200);
  const { latency, ...rest } = await vitals();
  assert.deepEqual(rest, {
    ...{ node: "n1", uptimeMs: 2_500n, requests: 3n },
    ...{ proposals: 1n, elections: 2n, walSyncs: 3n, walBytes: 4n },
    ...{ residentBytes: 4_096n, diskFreeBytes: 5n, diskTotalBytes: 2n ** 60n },
    storeBytes: 10n,
    leaderMs: 11n,
    recentLatency: [{ bound: Infinity, count: 6n }],
    seals: [{ keyId: 7, count: 1n }, { keyId: 9, count: 2n }],
    backups: [{ ageMs: 9n, index: 8n }],
  });
  assert.deepEqual(
    latency.filter(({ bound }) => [0.0005, 0.01, 0.02, 5].includes(bound)),
    [
      { bound: 0.0005, count: 1n },
      { bound: 0.01, count: 1n },
      { bound: 0.02, count: 2n },
      { bound: 5, count: 2n },
    ],
  );
  assert.deepEqual(latency.at(-1), { bound: Infinity, count: 3n });
  assert.deepEqual(dirs, ["/data"]);
});
