import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import type {
  ClusterEncryption,
  ClusterEvent,
  ClusterKey,
  ClusterMember,
  ClusterStatus,
  ClusterTask,
  MemberEncryption,
  MemberVitals,
  Vitals,
} from "../../../src/admin/client.ts";
import { type Seen, seenFirst } from "../../../tui/dashboard/seen.ts";

export const DAY_MS = 86_400_000;
/** 2026-11-23T12:00:00Z */
export const NOW_MS = 1_795_435_200_000;

export function memberOf(
  name: string,
  more: Partial<ClusterMember> = {},
): ClusterMember {
  const host = `10.0.0.${name.slice(1)}`;
  return {
    id: BigInt(name.slice(1)),
    name,
    role: "follower",
    isVoter: true,
    up: true,
    ready: true,
    lag: 0n,
    applied: 812_344n,
    phase: 1,
    replication: "replicate",
    peerAddress: `${host}:4513`,
    clientAddress: `${host}:4512`,
    adminAddress: `${host}:4514`,
    hasStarted: true,
    ...more,
  };
}

export function statusOf(...members: readonly ClusterMember[]): ClusterStatus {
  return {
    cluster: "prod-eu-1",
    clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    node: "n1",
    leader: "n2",
    term: 7n,
    commit: 812_344n,
    applied: 812_344n,
    phase: 1,
    ready: true,
    members,
  };
}

export const STATUS = statusOf(
  memberOf("n1"),
  memberOf("n2", { role: "leader", replication: "unknown" }),
  memberOf("n3", { lag: 3n }),
);

export const KEYS: readonly ClusterKey[] = [
  keyOf(3_735_928_559, { isActive: false, createdIndex: 40n }),
  keyOf(271_828_182, { createdIndex: 900n, createdMs: BigInt(NOW_MS - 7e6) }),
  keyOf(314_159_265, { purpose: "raft", createdIndex: 41n }),
  keyOf(161_803_398, { purpose: "state", isActive: false, createdIndex: 39n }),
];

export function keyOf(id: number, more: Partial<ClusterKey> = {}): ClusterKey {
  const writer = { fullNodeId: 7n, firstEpoch: 1, lastEpoch: 4 };
  return {
    id,
    purpose: "storage",
    isActive: true,
    createdMs: BigInt(NOW_MS - 12 * DAY_MS),
    createdIndex: 40n,
    deactivatedIndex: 0n,
    keks: ["file:a91f3c55"],
    writers: ["n1", "n2", "n3"].map((member) => ({ member, ...writer })),
    ...more,
  };
}

export function encryptionOf(
  member: string,
  own: Partial<ClusterEncryption["own"]> = {},
  stateIndex = 900n,
  keys: readonly ClusterKey[] = KEYS,
): MemberEncryption {
  const encryption: ClusterEncryption = {
    node: member,
    clusterId: STATUS.clusterId,
    applied: 812_344n,
    phase: 1,
    stateIndex,
    storageCutoverIndex: 700n,
    raftCutoverIndex: 0n,
    cleartextLockIndex: 0n,
    keys,
    retired: [],
    own: {
      isEnabled: true,
      gaps: [],
      kekIds: ["file:a91f3c55"],
      sidecarIndex: 900n,
      epochs: [],
      ...own,
    },
  };
  return { member, encryption, failure: null };
}

export function silentEncryption(member: string): MemberEncryption {
  const failure = new AdminUnreachableError(["http://10.0.0.3:4514"]);
  return { member, encryption: null, failure };
}

/** As of `second` seconds; `more` replaces what it says. */
export function vitalsAt(
  member: string,
  second: number,
  more: Partial<Vitals> = {},
): MemberVitals {
  const requests = BigInt(second * 1_000);
  const vitals: Vitals = {
    node: member,
    uptimeMs: BigInt(second * 1_000),
    requests,
    latency: [
      { bound: 0.001, count: requests / 2n },
      { bound: 0.01, count: requests },
      { bound: Infinity, count: requests },
    ],
    recentLatency: [],
    proposals: BigInt(second * 200),
    elections: 1n,
    walSyncs: BigInt(second * 100),
    walBytes: BigInt(second * 262_144),
    residentBytes: 152_043_520n,
    diskFreeBytes: 70n * 2n ** 30n,
    diskTotalBytes: 100n * 2n ** 30n,
    storeBytes: 2n ** 30n,
    leaderMs: 50_000n,
    seals: [{ keyId: 271_828_182, count: 3_100n }],
    backups: [],
    ...more,
  };
  return { member, vitals, failure: null };
}

export function silentVitals(member: string): MemberVitals {
  const failure = new AdminUnreachableError(["http://10.0.0.3:4514"]);
  return { member, vitals: null, failure };
}

export function taskOf(
  member: string,
  more: Partial<ClusterTask> = {},
): ClusterTask {
  return {
    member,
    state: "running",
    done: 500n,
    total: 1_000n,
    bytes: 65_536n,
    elapsedMs: 2_000n,
    failure: "",
    ...more,
  };
}

export function eventOf(
  index: number,
  more: Partial<ClusterEvent> = {},
): ClusterEvent {
  return {
    index: BigInt(index),
    atMs: BigInt(NOW_MS - 240_000),
    actor: "ana@laptop",
    action: "enable-storage-envelope",
    planHash: "5c1e90aa",
    result: "done",
    entry: BigInt(index - 1),
    detail: "",
    ...more,
  };
}

export function seenOf(more: Partial<Seen> = {}): Seen {
  return { ...seenFirst(STATUS, NOW_MS), ...more };
}
