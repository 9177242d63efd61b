/*
 * Goal: docs/metrics.md lists every metric of a node, and no other.
 * Method: register all of them, scrape once, compare names, kinds and labels.
 */
import assert from "node:assert/strict";
import { registerEncryptionMetrics } from "../../../src/app/encryption_metrics.ts";
import { kekUnwrapSeconds } from "../../../src/app/timed_kek.ts";
import {
  type NodeMetricsSource,
  registerNodeMetrics,
} from "../../../src/app/node_metrics.ts";
import { MetricRegistry } from "../../../src/base/metrics.ts";
import { RequestMetrics } from "../../../src/kvconnect/request_metrics.ts";
import { KvConnectServer } from "../../../src/kvconnect/server.ts";
import { AccessTokenSigner } from "../../../src/app/token_signer.ts";
import { MEMBER, STATUS } from "../admin/fake_node.ts";
import { FakeNode } from "../kvconnect/fake_node.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { BOOTSTRAPPED } from "./encryption_source.ts";

const PROCESS = {
  env: () => undefined,
  deleteEnv() {},
  onStopSignal: () => ({ cancel() {} }),
  exec: () => Promise.reject(new Error("not part of this test")),
  residentBytes: () => 4_096,
};

const SOURCE: NodeMetricsSource = {
  status: () => ({
    ...STATUS,
    members: [MEMBER, {
      ...MEMBER,
      name: "n2",
      role: "follower",
      up: false,
      lag: 7,
    }],
  }),
  raft: () => ({ proposals: 1, elections: 2, leaderChanges: 3 }),
  wal: () => ({ syncs: 4, bytesWritten: 5, batches: 6 }),
  store: () => ({ batches: 7, atomics: 8 }),
  transport: () => ({
    links: [{
      id: 2,
      name: "n2",
      isUp: true,
      hears: false,
      queuedBytes: 9,
      lastRefusal: null,
    }],
    counters: {
      messagesSent: 10,
      messagesReceived: 11,
      messagesDropped: 12,
      bytesSent: 13,
      bytesReceived: 14,
      connects: 15,
      refusals: 16,
    },
  }),
};

function scrape(source: NodeMetricsSource): string {
  const metrics = new MetricRegistry();
  registerNodeMetrics(metrics, source, PROCESS);
  registerEncryptionMetrics(metrics, BOOTSTRAPPED);
  kekUnwrapSeconds(metrics);
  const server = new KvConnectServer({
    node: new FakeNode(),
    signer: new AccessTokenSigner("access-token-123"),
    clock: new SimClock(),
    log: { write() {} },
    metrics,
  });
  // What is counted by status and code is there from its first time on.
  const requests = new RequestMetrics(metrics);
  requests.onReply("watch", 200, 1);
  requests.onError("NODE_NOT_READY");
  server.stop();
  return metrics.render();
}

Deno.test("registerNodeMetrics() shows every number of its source", () => {
  const text = scrape(SOURCE);
  const expected = [
    "sealkv_raft_term 7",
    'sealkv_raft_role{role="leader"} 1',
    'sealkv_raft_role{role="learner"} 0',
    "sealkv_raft_proposals_total 1",
    "sealkv_raft_elections_total 2",
    "sealkv_raft_leader_changes_total 3",
    "sealkv_wal_syncs_total 4",
    "sealkv_wal_bytes_total 5",
    "sealkv_wal_batches_total 6",
    "sealkv_store_batches_total 7",
    "sealkv_store_atomics_total 8",
    'sealkv_member_up{member="n1"} 1',
    'sealkv_member_up{member="n2"} 0',
    'sealkv_member_lag_entries{member="n2"} 7',
    'sealkv_transport_peer_up{peer="n2"} 1',
    'sealkv_transport_peer_hears{peer="n2"} 0',
    'sealkv_transport_peer_queued_bytes{peer="n2"} 9',
    "sealkv_transport_messages_sent_total 10",
    "sealkv_transport_messages_received_total 11",
    "sealkv_transport_messages_dropped_total 12",
    "sealkv_transport_bytes_sent_total 13",
    "sealkv_transport_bytes_received_total 14",
    "sealkv_transport_connects_total 15",
    "sealkv_transport_refusals_total 16",
    "process_resident_memory_bytes 4096",
  ];
  const lines = text.split("\n");
  for (const line of expected) assert.ok(lines.includes(line), line);
});

Deno.test("registerNodeMetrics() leaves out what is not counted", () => {
  const text = scrape({ ...SOURCE, raft: null, transport: null });
  assert.doesNotMatch(text, /sealkv_transport_|sealkv_raft_elections/);
  assert.match(text, /^sealkv_raft_term 7$/m);
});

Deno.test("docs/metrics.md lists every metric, and no other", async () => {
  const page = await Deno.readTextFile(
    new URL("../../../docs/metrics.md", import.meta.url),
  );
  const listed = [...page.matchAll(/^\| `(\w+)` +\| (\w+) +\| ([^|]*?) +\|/gm)]
    .map(([, name, kind, labels]) => `${name} ${kind} ${labels}`.trim());
  const text = scrape(SOURCE);
  const shown = [...text.matchAll(/^# TYPE (\w+) (\w+)\n(.*)$/gm)]
    .map(([, name = "", kind, first = ""]) => {
      const labels = [...first.matchAll(/(\w+)="/g)].map(([, label]) => label)
        .filter((label) => label !== "le");
      return `${name} ${kind} ${
        labels.map((label) => `\`${label}\``).join(" ")
      }`
        .trim();
    });
  assert.deepEqual(listed, shown.toSorted());
});
