import type { MetricRegistry } from "../base/metrics.ts";
import type { ProcessPort } from "../io/process.ts";
import type { Node, NodeCounters } from "../node/node.ts";
import type { NodeStatus } from "../node/port.ts";

const STATUS_GAUGES: readonly [
  name: string,
  help: string,
  read: (status: NodeStatus) => number,
][] = [
  ["raft_term", "Current raft term", ({ term }) => term],
  ["raft_commit_index", "Highest committed entry", ({ commit }) => commit],
  ["applied_index", "Highest entry in the store", ({ applied }) => applied],
  ["ready", "1 while clients are served", ({ ready }) => Number(ready)],
];

const COUNTERS: readonly [
  name: string,
  help: string,
  read: (counters: NodeCounters) => number,
][] = [
  ["wal_syncs_total", "Syncs of the log", ({ wal }) => wal.syncs],
  [
    "wal_bytes_total",
    "Bytes written to the log",
    ({ wal }) => wal.bytesWritten,
  ],
  [
    "store_batches_total",
    "Groups given to the store",
    ({ store }) => store.batches,
  ],
  [
    "store_atomics_total",
    "Atomics of the backing store",
    ({ store }) => store.atomics,
  ],
];

/** Adds what the node, its log and its store have to tell to `/metrics`. */
export function registerNodeMetrics(
  metrics: MetricRegistry,
  node: Node,
  process: ProcessPort,
): void {
  for (const [name, help, read] of STATUS_GAUGES) {
    metrics.read({
      kind: "gauge",
      name: `sealkv_${name}`,
      help,
      read: () => read(node.status()),
    });
  }
  for (const [name, help, read] of COUNTERS) {
    metrics.read({
      kind: "counter",
      name: `sealkv_${name}`,
      help,
      read: () => read(node.counters()),
    });
  }
  metrics.read({
    kind: "gauge",
    name: "process_resident_memory_bytes",
    help: "Resident set of the process",
    read: () => process.residentBytes(),
  });
}
