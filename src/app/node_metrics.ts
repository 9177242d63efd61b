import type { MetricRegistry } from "../base/metrics.ts";
import type { ProcessPort } from "../io/process.ts";
import type { MemberRole, MemberStatus, NodeStatus } from "../node/port.ts";
import type { PeerLinkStatus, TransportCounters } from "../transport/port.ts";

/** Counts of one member's consensus since its start. */
export interface RaftCounters {
  /** Entries that this member proposed as leader. */
  readonly proposals: number;
  /** Elections that this member stood in. */
  readonly elections: number;
  /** Leaders that this member followed, or times it led, after the first. */
  readonly leaderChanges: number;
}

/** Where the numbers of `/metrics` come from. Read at each scrape: cheap. */
export interface NodeMetricsSource {
  status(): NodeStatus;
  /** `null`: not counted, and not shown. */
  readonly raft: (() => RaftCounters) | null;
  wal(): {
    readonly syncs: number;
    readonly bytesWritten: number;
    readonly batches: number;
  };
  store(): { readonly batches: number; readonly atomics: number };
  /** `null`: this node has no peers. */
  readonly transport:
    | (() => {
      readonly links: readonly PeerLinkStatus[];
      readonly counters: TransportCounters;
    })
    | null;
}

type Reads<T> = readonly (readonly [
  name: string,
  help: string,
  read: (of: T) => number,
])[];

const ROLES: readonly MemberRole[] = [
  "leader",
  "follower",
  "candidate",
  "learner",
];

const STATUS: Reads<NodeStatus> = [
  ["raft_term", "Current raft term", ({ term }) => term],
  ["raft_commit_index", "Highest committed entry", ({ commit }) => commit],
  ["applied_index", "Highest entry in the store", ({ applied }) => applied],
  ["ready", "1 while clients are served", ({ ready }) => Number(ready)],
];

const RAFT: Reads<RaftCounters> = [
  [
    "raft_proposals_total",
    "Entries proposed by this member as leader",
    ({ proposals }) => proposals,
  ],
  [
    "raft_elections_total",
    "Elections that this member stood in",
    ({ elections }) => elections,
  ],
  [
    "raft_leader_changes_total",
    "Changes of the leader that this member saw",
    ({ leaderChanges }) => leaderChanges,
  ],
];

const WAL: Reads<ReturnType<NodeMetricsSource["wal"]>> = [
  ["wal_syncs_total", "Syncs of the log", ({ syncs }) => syncs],
  [
    "wal_bytes_total",
    "Bytes written to the log",
    ({ bytesWritten }) => bytesWritten,
  ],
  ["wal_batches_total", "Groups given to the log", ({ batches }) => batches],
];

const STORE: Reads<ReturnType<NodeMetricsSource["store"]>> = [
  [
    "store_batches_total",
    "Groups given to the store",
    ({ batches }) => batches,
  ],
  [
    "store_atomics_total",
    "Atomics of the backing store",
    ({ atomics }) => atomics,
  ],
];

const MEMBERS: Reads<MemberStatus> = [
  ["member_up", "1 while this member hears from it", ({ up }) => Number(up)],
  [
    "member_lag_entries",
    "Entries it is behind the commit index known here",
    ({ lag }) => lag,
  ],
];

const TRANSPORT: Reads<TransportCounters> = [
  [
    "transport_messages_sent_total",
    "Messages given to links",
    ({ messagesSent }) => messagesSent,
  ],
  [
    "transport_messages_received_total",
    "Messages that came from links",
    ({ messagesReceived }) => messagesReceived,
  ],
  [
    "transport_messages_dropped_total",
    "Messages without a link, or with a full one",
    ({ messagesDropped }) => messagesDropped,
  ],
  [
    "transport_bytes_sent_total",
    "Bytes sent to peers",
    ({ bytesSent }) => bytesSent,
  ],
  [
    "transport_bytes_received_total",
    "Bytes received from peers",
    ({ bytesReceived }) => bytesReceived,
  ],
  [
    "transport_connects_total",
    "Connections made to peers",
    ({ connects }) => connects,
  ],
  [
    "transport_refusals_total",
    "Handshakes that either side refused",
    ({ refusals }) => refusals,
  ],
];

const LINKS: Reads<PeerLinkStatus> = [
  [
    "transport_peer_up",
    "1 while the link to the peer carries messages",
    ({ isUp }) => Number(isUp),
  ],
  [
    "transport_peer_hears",
    "1 while a connection from the peer is open",
    ({ hears }) => Number(hears),
  ],
  [
    "transport_peer_queued_bytes",
    "Bytes that wait for the peer",
    ({ queuedBytes }) => queuedBytes,
  ],
];

/** Adds what the node and its parts have to tell to `/metrics`. */
export function registerNodeMetrics(
  metrics: MetricRegistry,
  source: NodeMetricsSource,
  process: ProcessPort,
): void {
  const { raft, transport } = source;
  const status = () => source.status();
  addAll(metrics, "gauge", STATUS, status);
  for (const role of ROLES) {
    metrics.read({
      kind: "gauge",
      name: "sealkv_raft_role",
      help: "1 for the role of this member",
      labels: { role },
      read: () => Number(roleOf(status()) === role),
    });
  }
  if (raft !== null) addAll(metrics, "counter", RAFT, raft);
  addAll(metrics, "counter", WAL, () => source.wal());
  addAll(metrics, "counter", STORE, () => source.store());
  addEach(metrics, "member", MEMBERS, () => status().members);
  if (transport !== null) {
    addAll(metrics, "counter", TRANSPORT, () => transport().counters);
    addEach(metrics, "peer", LINKS, () => transport().links);
  }
  metrics.read({
    kind: "gauge",
    name: "process_resident_memory_bytes",
    help: "Resident set of the process",
    read: () => process.residentBytes(),
  });
}

function addAll<T>(
  metrics: MetricRegistry,
  kind: "counter" | "gauge",
  reads: Reads<T>,
  source: () => T,
): void {
  for (const [name, help, read] of reads) {
    metrics.read({
      kind,
      name: `sealkv_${name}`,
      help,
      read: () => read(source()),
    });
  }
}

function addEach<T extends { readonly name: string }>(
  metrics: MetricRegistry,
  label: string,
  reads: Reads<T>,
  source: () => readonly T[],
): void {
  for (const [name, help, read] of reads) {
    metrics.readEach({
      kind: "gauge",
      name: `sealkv_${name}`,
      help,
      label,
      readEach: () => source().map((item) => [item.name, read(item)] as const),
    });
  }
}

function roleOf({ node, members }: NodeStatus): MemberRole | null {
  return members.find(({ name }) => name === node)?.role ?? null;
}
