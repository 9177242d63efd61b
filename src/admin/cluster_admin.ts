import type { MessageInitShape } from "@bufbuild/protobuf";
import { uuidText } from "../base/uuid.ts";
import type {
  MemberRole,
  MemberStatus,
  NodeStatus,
  ReplicationState,
} from "../node/port.ts";
import {
  type GetStatusResponseSchema,
  type MemberSchema,
  Replication,
  Role,
} from "./gen/admin_pb.ts";

const ROLES: Readonly<Record<MemberRole, Role>> = {
  leader: Role.LEADER,
  follower: Role.FOLLOWER,
  candidate: Role.CANDIDATE,
  learner: Role.LEARNER,
};

const REPLICATIONS: Readonly<Record<ReplicationState, Replication>> = {
  unknown: Replication.UNSPECIFIED,
  probe: Replication.PROBE,
  replicate: Replication.REPLICATE,
  snapshot: Replication.SNAPSHOT,
};

/** The node's status as GetStatus answers it. */
export function statusReply(
  status: NodeStatus,
): MessageInitShape<typeof GetStatusResponseSchema> {
  const { cluster, clusterId, node, leader, phase, ready } = status;
  return {
    cluster,
    clusterId: clusterId === null ? "" : uuidText(clusterId),
    node,
    leader,
    term: BigInt(status.term),
    commit: BigInt(status.commit),
    applied: BigInt(status.applied),
    phase,
    ready,
    members: status.members.map(memberReply),
  };
}

function memberReply(
  member: MemberStatus,
): MessageInitShape<typeof MemberSchema> {
  const { name, up, ready, phase, isVoter, hasStarted } = member;
  const { peerAddress, clientAddress, adminAddress } = member;
  return {
    name,
    role: ROLES[member.role],
    up,
    ready,
    lag: BigInt(member.lag),
    applied: BigInt(member.applied),
    phase,
    id: BigInt(member.id),
    isVoter,
    replication: REPLICATIONS[member.replication],
    peerAddress,
    clientAddress,
    adminAddress,
    hasStarted,
  };
}
