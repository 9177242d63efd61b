import assert from "node:assert/strict";
import { costsBetween, readCounters } from "../../../src/bench/servers.ts";

const NAMES = { syncs: "syncs", logBytes: "log", peerBytes: "peer" };

Deno.test("readCounters() adds up all members and tells what nobody counts", async () => {
  const asked: string[] = [];
  const counters = await readCounters({
    http: {
      fetch: (request) => {
        asked.push(request.url);
        return Promise.resolve(new Response("syncs 2\nlog 100\n"));
      },
    },
    pages: ["http://a/metrics", "http://b/metrics"],
    names: NAMES,
    processes: { cpuMs: () => Promise.resolve(40) },
  });
  assert.deepEqual(asked, ["http://a/metrics", "http://b/metrics"]);
  assert.deepEqual(counters, {
    syncs: 4,
    logBytes: 200,
    peerBytes: null,
    cpuMs: 40,
  });
});

Deno.test("costsBetween() divides by the requests answered", () => {
  const before = { syncs: 10, logBytes: 1_000, peerBytes: null, cpuMs: 5 };
  const after = { syncs: 30, logBytes: 9_000, peerBytes: 8, cpuMs: 25 };
  assert.deepEqual(costsBetween(before, after, 40), {
    syncs: 0.5,
    logBytes: 200,
    peerBytes: null,
    cpuMicroseconds: 500,
  });
});
