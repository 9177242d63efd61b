import type {
  ClusterEncryption,
  ClusterEvent,
  ClusterKey,
  ClusterMember,
  ClusterRewrite,
  ClusterTask,
  MemberVitals,
} from "../../../src/admin/client.ts";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import {
  NO_CHOICES,
  type RolloutChoices,
  type RolloutSnapshot,
} from "../../../src/rollout/snapshot.ts";
import type { Check, CheckId } from "../../../src/rollout/check.ts";
import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import type { RolloutStep, StepId } from "../../../src/rollout/step.ts";

export const KEK = "file:3f2a91d0c4b7e865";
export const NAMES = ["n1", "n2", "n3"];
export const NOW_MS = Date.parse("2026-11-26T08:00:00Z");
export const STORAGE_AT = 100n;
export const JOB_AT = 120n;
export const LOCK_AT = 200n;
export const RAFT_AT = 210n;

/** Rungs of a cluster, bottom first; each has those below it. */
export type Rung =
  | "plain"
  | "capable"
  | "stored"
  | "rewriting"
  | "rewritten"
  | "locked"
  | "sealed"
  | "scrubbed"
  | "rotated";

const RUNGS: readonly Rung[] = [
  "plain",
  "capable",
  "stored",
  "rewriting",
  "rewritten",
  "locked",
  "sealed",
  "scrubbed",
  "rotated",
];

export function isFrom(rung: Rung, from: Rung): boolean {
  return RUNGS.indexOf(rung) >= RUNGS.indexOf(from);
}

export function memberOf(
  name: string,
  given: Partial<ClusterMember> = {},
): ClusterMember {
  return {
    id: BigInt(NAMES.indexOf(name) + 1),
    name,
    role: name === "n2" ? "leader" : "follower",
    isVoter: true,
    up: true,
    ready: true,
    lag: 0n,
    applied: 900n,
    phase: 0,
    replication: "replicate",
    peerAddress: `10.0.0.${name.slice(1)}:4513`,
    clientAddress: `10.0.0.${name.slice(1)}:4512`,
    adminAddress: `10.0.0.${name.slice(1)}:4514`,
    hasStarted: true,
    ...given,
  };
}

export function keyOf(given: Partial<ClusterKey>): ClusterKey {
  return {
    id: 11,
    purpose: "storage",
    isActive: true,
    createdMs: BigInt(NOW_MS - 86_400_000),
    createdIndex: 99n,
    deactivatedIndex: 0n,
    keks: [KEK],
    writers: [],
    ...given,
  };
}

const KEYS = [
  keyOf({ id: 10, purpose: "state", isActive: false }),
  keyOf({ id: 11 }),
  keyOf({ id: 12, purpose: "raft" }),
];
const ROTATED = [
  keyOf({ id: 10, purpose: "state", isActive: false }),
  keyOf({ id: 11, isActive: false, deactivatedIndex: 400n }),
  keyOf({ id: 12, purpose: "raft", isActive: false, deactivatedIndex: 401n }),
  keyOf({ id: 13 }),
  keyOf({ id: 14, purpose: "raft" }),
];

export function encryptionAt(node: string, rung: Rung): ClusterEncryption {
  const at = (from: Rung, index: bigint) => isFrom(rung, from) ? index : 0n;
  const isCapable = isFrom(rung, "capable");
  return {
    node,
    clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    applied: 900n,
    phase: isFrom(rung, "sealed") ? 2 : isFrom(rung, "stored") ? 1 : 0,
    stateIndex: at("stored", STORAGE_AT),
    storageCutoverIndex: at("stored", STORAGE_AT),
    raftCutoverIndex: at("sealed", RAFT_AT),
    cleartextLockIndex: at("locked", LOCK_AT),
    keys: isFrom(rung, "rotated") ? ROTATED : at("stored", 1n) ? KEYS : [],
    retired: [],
    own: {
      isEnabled: isCapable,
      gaps: isCapable ? [] : [
        "encryption is off on this node: start it with --encryption-enabled and --kek",
      ],
      kekIds: isCapable ? [KEK] : [],
      sidecarIndex: at("stored", STORAGE_AT),
      epochs: [],
    },
  };
}

export function taskOf(
  member: string,
  given: Partial<ClusterTask> = {},
): ClusterTask {
  return {
    member,
    state: "done",
    done: 70n,
    total: 70n,
    bytes: 7_000n,
    elapsedMs: 2_000n,
    failure: "",
    ...given,
  };
}

export const JOB: ClusterRewrite = {
  id: JOB_AT,
  bytesPerSecond: 0n,
  isPaused: false,
};

export function eventOf(given: Partial<ClusterEvent> = {}): ClusterEvent {
  return {
    index: 300n,
    atMs: BigInt(NOW_MS - 60_000),
    actor: "ana@laptop",
    action: "scrub",
    planHash: "0123456789abcdef",
    result: "done",
    entry: 0n,
    detail: "",
    ...given,
  };
}

const GIB = 1_024n ** 3n;

export function vitalsOf(member: string): MemberVitals {
  return {
    member,
    failure: null,
    vitals: {
      node: member,
      uptimeMs: 60_000n,
      requests: 1_000n,
      latency: [
        { bound: 0.01, count: 600n },
        { bound: 0.1, count: 995n },
        { bound: Infinity, count: 1_000n },
      ],
      recentLatency: [
        { bound: 0.01, count: 600n },
        { bound: 0.1, count: 995n },
        { bound: Infinity, count: 1_000n },
      ],
      proposals: 500n,
      elections: 1n,
      leaderMs: 59_000n,
      walSyncs: 500n,
      walBytes: 1_000_000n,
      residentBytes: 100_000_000n,
      diskFreeBytes: 60n * GIB,
      diskTotalBytes: 100n * GIB,
      storeBytes: 5n * GIB,
      seals: [],
      backups: [],
    },
  };
}

/** A healthy cluster of three that stands at `rung`. */
export function snapshotAt(
  rung: Rung,
  given: Partial<RolloutSnapshot> = {},
): RolloutSnapshot {
  const hasJob = isFrom(rung, "rewriting");
  const state = isFrom(rung, "rewritten") ? "done" : "running";
  const isCapable = isFrom(rung, "capable");
  return {
    atMs: NOW_MS,
    status: {
      cluster: "prod",
      clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
      node: "n1",
      leader: "n2",
      term: 7n,
      commit: 900n,
      applied: 900n,
      phase: 0,
      ready: true,
      members: NAMES.map((name) => memberOf(name)),
    },
    members: NAMES.map((member) => ({
      member,
      encryption: encryptionAt(member, rung),
      failure: null,
    })),
    capabilities: isCapable
      ? NAMES.map((member) => ({ member, code: "", message: "", remedy: "" }))
      : null,
    rollout: { rewrite: hasJob ? JOB : null, dwellUntilMs: 0n },
    rewrite: {
      job: hasJob ? JOB : null,
      members: hasJob ? NAMES.map((name) => taskOf(name, { state })) : [],
    },
    underWay: null,
    events: isFrom(rung, "scrubbed") ? [eventOf()] : [],
    vitals: NAMES.map(vitalsOf),
    rehearsal: null,
    ...given,
  };
}

/** The same with another word of one member about its encryption. */
export function withEncryption(
  snapshot: RolloutSnapshot,
  name: string,
  given: Partial<ClusterEncryption> | null,
): RolloutSnapshot {
  return {
    ...snapshot,
    members: snapshot.members.map((one) => {
      if (one.member !== name) return one;
      if (given === null || one.encryption === null) {
        const failure = new AdminUnreachableError([`http://${name}:4514`]);
        return { member: name, encryption: null, failure };
      }
      return { ...one, encryption: { ...one.encryption, ...given } };
    }),
  };
}

/** The same with another row of one member in the status. */
export function withMember(
  snapshot: RolloutSnapshot,
  name: string,
  given: Partial<ClusterMember>,
): RolloutSnapshot {
  const { status } = snapshot;
  const members = status.members.map((one) =>
    one.name === name ? { ...one, ...given } : one
  );
  return { ...snapshot, status: { ...status, members } };
}

export function stepIn(
  snapshot: RolloutSnapshot,
  id: StepId,
  choices: RolloutChoices = NO_CHOICES,
): RolloutStep {
  return planRollout(snapshot, choices).steps.find((step) => step.id === id)!;
}

export function checkIn(
  snapshot: RolloutSnapshot,
  [step, id]: readonly [StepId, CheckId],
  choices: RolloutChoices = NO_CHOICES,
): Check {
  const { checks } = stepIn(snapshot, step, choices);
  const check = checks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`${step} has no ${id}`);
  return check;
}
