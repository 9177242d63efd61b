import { phaseOf } from "../fsm/encryption.ts";
import type { Core } from "../raft/core.ts";
import { isVoter } from "../raft/membership.ts";
import type { Role } from "../raft/state.ts";
import type { StoreState } from "../store/meta.ts";
import type { MemberRole, MemberStatus, NodeStatus } from "./port.ts";
import type { Peers } from "./peers.ts";

/** What a status is made of. */
export interface ClusterViewParts {
  readonly core: Core;
  readonly peers: Peers;
  readonly name: string;
  readonly state: StoreState;
  readonly isReady: boolean;
  readonly isStopped: boolean;
}

/** The cluster as this member sees it. */
export function clusterView(parts: ClusterViewParts): NodeStatus {
  const { core, peers, name, state, isReady } = parts;
  const { lead, term, entryLog } = core.state;
  const { fsm, applied } = state;
  return {
    cluster: fsm.clusterName,
    clusterId: fsm.clusterId,
    node: name,
    leader: peers.nameOf(lead),
    term,
    commit: entryLog.committed,
    applied: applied.index,
    phase: phaseOf(fsm.encryption),
    ready: isReady,
    members: memberViews(parts),
  };
}

function memberViews(parts: ClusterViewParts): readonly MemberStatus[] {
  const { core, peers, state, name, isReady, isStopped } = parts;
  const { id: self, role, lead, entryLog } = core.state;
  const progress = new Map(core.members().map((one) => [one.id, one]));
  return [...peers.members().values()].map((member): MemberStatus => {
    const { id, peerAddress, clientAddress, adminAddress, diskId } = member;
    const isSelf = id === self;
    const told = peers.stateOf(id);
    const fed = progress.get(id);
    const applied = isSelf
      ? state.applied.index
      : told?.applied ?? fed?.match ?? 0;
    const voter = isVoter(state.confState, id);
    const isUp = isSelf ? !isStopped : peers.isUp(id);
    return {
      id,
      name: isSelf ? name : member.name,
      role: isSelf ? ownRole(role, voter) : roleOf(id === lead, voter),
      isVoter: voter,
      up: isUp,
      // What it told last says nothing of one that is gone.
      ready: isSelf ? isReady : isUp && (told?.isReady ?? false),
      lag: Math.max(entryLog.committed - applied, 0),
      applied,
      phase: isSelf ? phaseOf(state.fsm.encryption) : told?.phase ?? 0,
      replication: fed === undefined || isSelf ? "unknown" : fed.state,
      peerAddress,
      clientAddress,
      adminAddress,
      hasStarted: diskId !== null,
    };
  });
}

function ownRole(role: Role, voter: boolean): MemberRole {
  if (role === "pre-candidate") return "candidate";
  return role === "follower" && !voter ? "learner" : role;
}

function roleOf(leads: boolean, voter: boolean): MemberRole {
  if (leads) return "leader";
  return voter ? "follower" : "learner";
}
