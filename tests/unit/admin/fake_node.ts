import type { AuditRecord, AuditSink } from "../../../src/admin/audit.ts";
import type { Vitals } from "../../../src/admin/vitals.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { EventLog } from "../../../src/io/log.ts";
import type {
  ChangeResult,
  ChangeTerms,
  MemberRequest,
  MemberStatus,
  NodePort,
  NodeStatus,
  OperatorPort,
} from "../../../src/node/port.ts";

export const MEMBER: MemberStatus = {
  id: 1,
  isVoter: true,
  replication: "unknown",
  peerAddress: "127.0.0.1:4513",
  clientAddress: "127.0.0.1:4512",
  adminAddress: "127.0.0.1:4514",
  hasStarted: true,
  name: "n1",
  role: "leader",
  up: true,
  ready: true,
  lag: 0,
  applied: 812_344,
  phase: 0,
};

export const STATUS: NodeStatus = {
  cluster: "prod-eu-1",
  clusterId: Uint8Array.from({ length: 16 }, (_, i) => i),
  node: "n1",
  leader: "n1",
  term: 7,
  commit: 2 ** 53 - 1,
  applied: 812_344,
  phase: 0,
  ready: true,
  members: [MEMBER],
};

export const VITALS: Vitals = {
  node: "n1",
  uptimeMs: 90_061_001n,
  requests: 9_007_199_254_740_993n,
  latency: [{ bound: 0.0005, count: 12n }, {
    bound: Infinity,
    count: 9_007_199_254_740_993n,
  }],
  recentLatency: [{ bound: 0.0005, count: 2n }, {
    bound: Infinity,
    count: 3n,
  }],
  proposals: 7n,
  elections: 2n,
  leaderMs: 90_000_001n,
  walSyncs: 31n,
  walBytes: 4_096n,
  residentBytes: 104_857_600n,
  diskFreeBytes: 76_329_189_376n,
  diskTotalBytes: 270_553_174_016n,
  storeBytes: 8_192n,
  seals: [{ keyId: 7, count: 3n }, { keyId: 305_419_896, count: 4n }],
  backups: [{ ageMs: 86_400_000n, index: 9n }, { ageMs: 5n, index: 20n }],
};

export const PLAN_HASH = "0123456789abcdef";

export interface FakeNode extends NodePort, OperatorPort {
  /** What was asked of it, in order. */
  readonly asked: { request: MemberRequest; terms: ChangeTerms }[];
  /** Tells whoever watches. */
  changed(): void;
  readonly watcherCount: number;
}

export interface FakeNodeOptions {
  readonly status?: () => NodeStatus;
  readonly change?: (
    request: MemberRequest,
    terms: ChangeTerms,
  ) => ChangeResult;
  readonly backup?: () => AsyncIterable<Bytes>;
}

/** A node that operators can talk to; its data plane is not there. */
export function fakeNode(options: FakeNodeOptions = {}): FakeNode {
  const { status = () => STATUS, change = planOf } = options;
  const asked: { request: MemberRequest; terms: ChangeTerms }[] = [];
  const watchers = new Set<() => void>();
  const never = () => {
    throw new Error("not part of this test");
  };
  return {
    asked,
    changed: () => {
      for (const onChange of watchers) onChange();
    },
    get watcherCount() {
      return watchers.size;
    },
    clusterId: () => status().clusterId,
    write: never,
    read: never,
    watch: never,
    status,
    onStop: () => ({ cancel() {} }),
    async changeMembers(request, terms) {
      asked.push({ request, terms });
      return change(request, terms);
    },
    watchStatus(onChange) {
      watchers.add(onChange);
      return { cancel: () => void watchers.delete(onChange) };
    },
    backup: options.backup ?? never,
  };
}

/** A plan of one line; carried out unless it is a dry run. */
export function planOf(
  { kind, name }: MemberRequest,
  { dryRun }: ChangeTerms,
): ChangeResult {
  const plan = { hash: PLAN_HASH, steps: [`${kind} ${name}`] };
  return { plan, isChanged: !dryRun, memberId: 17 };
}

/** Keeps what it is told to keep. */
export function recordingAudit(): AuditSink & {
  readonly records: AuditRecord[];
} {
  const records: AuditRecord[] = [];
  return { records, write: async (record) => void records.push(record) };
}

/** Keeps events as "level event" for assertions. */
export function recordingLog(): EventLog & { readonly events: string[] } {
  const events: string[] = [];
  return {
    events,
    write: (level, event) => void events.push(`${level} ${event}`),
  };
}
