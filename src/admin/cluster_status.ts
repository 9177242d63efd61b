import {
  type GetStatusResponse,
  type Member,
  Replication,
  Role,
} from "./gen/admin_pb.ts";

export type ClusterRole =
  | "leader"
  | "follower"
  | "candidate"
  | "learner"
  | "unknown";

/** How the leader feeds a member; "unknown" when a follower answers. */
export type ClusterReplication =
  | "probe"
  | "replicate"
  | "snapshot"
  | "unknown";

export interface ClusterMember {
  /** Raft id: a member that comes back as a new one has another. */
  readonly id: bigint;
  readonly name: string;
  readonly role: ClusterRole;
  readonly isVoter: boolean;
  readonly up: boolean;
  readonly ready: boolean;
  readonly lag: bigint;
  readonly applied: bigint;
  readonly phase: number;
  readonly replication: ClusterReplication;
  /** HOST:PORT each; "" until the member announced itself. */
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly adminAddress: string;
  /** The cluster knows its disk. */
  readonly hasStarted: boolean;
}

export interface ClusterStatus {
  readonly cluster: string;
  readonly clusterId: string;
  /** The member that answered. */
  readonly node: string;
  readonly leader: string;
  readonly term: bigint;
  readonly commit: bigint;
  readonly applied: bigint;
  readonly phase: number;
  readonly ready: boolean;
  readonly members: readonly ClusterMember[];
}

const ROLES: Readonly<Record<Role, ClusterRole>> = {
  [Role.UNSPECIFIED]: "unknown",
  [Role.LEADER]: "leader",
  [Role.FOLLOWER]: "follower",
  [Role.CANDIDATE]: "candidate",
  [Role.LEARNER]: "learner",
};

const REPLICATIONS: Readonly<Record<Replication, ClusterReplication>> = {
  [Replication.UNSPECIFIED]: "unknown",
  [Replication.PROBE]: "probe",
  [Replication.REPLICATE]: "replicate",
  [Replication.SNAPSHOT]: "snapshot",
};

/** A reply as callers see it; words of a newer version are "unknown". */
export function statusOf(reply: GetStatusResponse): ClusterStatus {
  const { cluster, clusterId, node, leader, term, commit, applied } = reply;
  return {
    cluster,
    clusterId,
    node,
    leader,
    term,
    commit,
    applied,
    phase: reply.phase,
    ready: reply.ready,
    members: reply.members.map(memberOf),
  };
}

function memberOf(member: Member): ClusterMember {
  const { id, name, isVoter, up, ready, lag, applied, phase } = member;
  const { peerAddress, clientAddress, adminAddress, hasStarted } = member;
  return {
    id,
    name,
    role: ROLES[member.role] ?? "unknown",
    isVoter,
    up,
    ready,
    lag,
    applied,
    phase,
    replication: REPLICATIONS[member.replication] ?? "unknown",
    peerAddress,
    clientAddress,
    adminAddress,
    hasStarted,
  };
}
