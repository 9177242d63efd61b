import type {
  ChangeOutcome,
  ClusterMember,
  ClusterStatus,
} from "../../../src/admin/client.ts";
import type { AskedChange } from "./fake_services.ts";

export const PLAN_HASH = "0123456789abcdef";

export const LEADER: ClusterMember = {
  id: 1n,
  name: "n1",
  role: "leader",
  isVoter: true,
  up: true,
  ready: true,
  lag: 0n,
  applied: 812n,
  phase: 0,
  replication: "unknown",
  peerAddress: "10.0.0.1:4513",
  clientAddress: "10.0.0.1:4512",
  adminAddress: "10.0.0.1:4514",
  hasStarted: true,
};

export const FOLLOWER: ClusterMember = {
  ...LEADER,
  id: 2n,
  name: "n2",
  role: "follower",
  replication: "replicate",
  peerAddress: "10.0.0.2:4513",
  clientAddress: "10.0.0.2:4512",
  adminAddress: "10.0.0.2:4514",
};

export const DOWN: ClusterMember = {
  ...FOLLOWER,
  id: 3n,
  name: "n3",
  up: false,
  ready: false,
  lag: 4_210n,
  replication: "probe",
  peerAddress: "10.0.0.3:4513",
  clientAddress: "10.0.0.3:4512",
  adminAddress: "10.0.0.3:4514",
};

/** Added, and never started. */
export const FRESH: ClusterMember = {
  ...DOWN,
  id: 17n,
  name: "n4",
  role: "learner",
  isVoter: false,
  applied: 0n,
  peerAddress: "10.0.0.4:4513",
  clientAddress: "",
  adminAddress: "",
  hasStarted: false,
};

export function clusterOf(...members: ClusterMember[]): ClusterStatus {
  return {
    cluster: "prod-eu-1",
    clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
    node: "n1",
    leader: "n1",
    term: 7n,
    commit: 5_022n,
    applied: 812n,
    phase: 0,
    ready: true,
    members,
  };
}

/** Answers every change with a plan of one step. */
export function planned({ kind, options }: AskedChange): ChangeOutcome {
  return {
    plan: { hash: PLAN_HASH, steps: [`${kind} it`] },
    changed: options.dryRun !== true,
    memberId: 17n,
  };
}
