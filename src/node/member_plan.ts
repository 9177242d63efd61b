import { toHex, utf8 } from "../base/bytes.ts";
import { fullNodeId } from "../base/identity.ts";
import { sha256 } from "../base/sha256.ts";
import { brokenMemberRule } from "../fsm/member_codec.ts";
import type { EncryptionState, Member, MemberId } from "../fsm/types.ts";
import { MEMBERS_MAX } from "../fsm/types.ts";
import { majorityOf } from "../raft/quorum.ts";
import type { ConfState, LogIndex, Term } from "../raft/types.ts";
import { NodeIdCollisionError } from "./encryption/errors.ts";
import { nonceRival } from "./encryption/nonce_rival.ts";
import {
  ConfirmationWrongError,
  MemberBehindError,
  MemberChangeRefusedError,
  MemberExistsError,
  MemberUnknownError,
  PlanStaleError,
  QuorumAtRiskError,
} from "./member_errors.ts";
import type { ChangePlan, ChangeTerms, MemberRequest } from "./port.ts";

/** What the leader knows of one member. */
export interface MemberFacts extends Member {
  readonly isVoter: boolean;
  /** It talks to this member, or is this member. */
  readonly isActive: boolean;
  /** Highest index known to be durable there. */
  readonly match: LogIndex;
}

/** What a change is planned in. */
export interface ClusterFacts {
  readonly clusterName: string;
  readonly self: MemberId;
  readonly term: Term;
  readonly commit: LogIndex;
  readonly confState: ConfState;
  readonly members: readonly MemberFacts[];
  /** The applied registry: also nodes that are members no more. */
  readonly writers: EncryptionState["writers"];
}

/** A learner this close to the commit index counts as caught up. */
export const PROMOTE_LAG_MAX = 1_000;

/** The risk that `accept` of a change may name. */
const QUORUM_LOSS = "quorum-loss";

/** What a plan leads to; `null` where all is as asked already. */
export interface PlannedChange {
  readonly plan: ChangePlan;
  /** The member it is about; `null` for one that is not there yet. */
  readonly member: MemberFacts | null;
  readonly isNeeded: boolean;
}

/**
 * Plans `request`, or says why it must not be.
 *
 * @throws {NodeError} NODE_MEMBER_*, NODE_ID_COLLISION, NODE_QUORUM_AT_RISK,
 * NODE_PLAN_STALE, NODE_CONFIRMATION_WRONG.
 */
export function planMemberChange(
  request: MemberRequest,
  terms: ChangeTerms,
  facts: ClusterFacts,
): PlannedChange {
  const planned = plannedOf(request, terms, facts);
  const { hash } = planned.plan;
  if (terms.planHash !== "" && terms.planHash !== hash) {
    throw new PlanStaleError(terms.planHash, hash);
  }
  if (request.kind === "remove" && !terms.dryRun && planned.isNeeded) {
    const { clusterName } = facts;
    if (terms.confirm !== clusterName) {
      throw new ConfirmationWrongError(terms.confirm, clusterName);
    }
  }
  return planned;
}

function plannedOf(
  request: MemberRequest,
  terms: ChangeTerms,
  facts: ClusterFacts,
): PlannedChange {
  const plan = (steps: readonly string[]): ChangePlan => ({
    hash: planHash(request, facts),
    steps,
  });
  if (request.kind === "add") return planAdd(request, facts, plan);
  if (request.kind === "transfer-leader") {
    return planTransfer(request.name, facts, plan);
  }
  const member = memberOf(request.name, facts);
  return request.kind === "promote"
    ? planPromote(member, terms, facts, plan)
    : planRemove(member, terms, facts, plan);
}

type MakePlan = (steps: readonly string[]) => ChangePlan;

function planAdd(
  request: Extract<MemberRequest, { kind: "add" }>,
  facts: ClusterFacts,
  plan: MakePlan,
): PlannedChange {
  const { name, peerAddress, promote } = request;
  const rule = brokenMemberRule(memberToAdd(facts.self, request));
  if (rule !== null) throw new MemberChangeRefusedError(rule);
  if (facts.members.length === 0) {
    throw new MemberChangeRefusedError("this member has to announce itself");
  }
  const known = facts.members.find((one) => one.name === name);
  // Asked for again, after an answer that was lost or to wait for its end.
  if (
    known !== undefined && known.peerAddress === peerAddress &&
    known.promoteWhenCaughtUp === promote
  ) {
    const role = known.isVoter ? "voter" : "learner";
    const steps = [`"${name}" at ${peerAddress} is a ${role} already`];
    return { plan: plan(steps), member: known, isNeeded: false };
  }
  if (known !== undefined) throw new MemberExistsError(name, name);
  const rival = facts.members.find((one) => one.peerAddress === peerAddress);
  if (rival !== undefined) throw new MemberExistsError(rival.name, peerAddress);
  mustHaveOwnNonces(name, facts);
  if (facts.members.length >= MEMBERS_MAX) {
    throw new MemberChangeRefusedError(`there are ${MEMBERS_MAX} already`);
  }
  const later = promote ? ["make it a voter when it has caught up"] : [];
  const steps = [`add "${name}" at ${peerAddress} as a learner`, ...later];
  return { plan: plan(steps), member: null, isNeeded: true };
}

/**
 * Also before there is encryption: it may come, and a member that shares its
 * nonces keeps all others from starting then.
 *
 * @throws {NodeIdCollisionError}
 */
function mustHaveOwnNonces(
  name: string,
  { members, writers }: ClusterFacts,
): void {
  const rival = nonceRival(name, [
    ...members.map((one) => fullNodeId(one.name)),
    ...[...writers.values()].map((row) => row.fullNodeId),
  ]);
  if (rival !== null) throw new NodeIdCollisionError(name, rival);
}

/** The member that `request` asks for, before it has announced itself. */
export function memberToAdd(
  id: MemberId,
  { name, peerAddress, promote }: Extract<MemberRequest, { kind: "add" }>,
): Member {
  return {
    id,
    name,
    peerAddress,
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: promote,
  };
}

function planPromote(
  member: MemberFacts,
  terms: ChangeTerms,
  facts: ClusterFacts,
  plan: MakePlan,
): PlannedChange {
  const { name } = member;
  if (member.isVoter) {
    const steps = [`"${name}" is a voter already`];
    return { plan: plan(steps), member, isNeeded: false };
  }
  const lag = facts.commit - member.match;
  if (member.diskId === null || lag > PROMOTE_LAG_MAX || !member.isActive) {
    throw new MemberBehindError(name, Math.max(lag, 0));
  }
  const voters = facts.members.filter(({ isVoter }) => isVoter);
  mustKeepQuorum(`promote "${name}"`, [...voters, member], terms);
  return {
    plan: plan([`make "${name}" a voter: ${voters.length + 1} voters then`]),
    member,
    isNeeded: true,
  };
}

function planRemove(
  member: MemberFacts,
  terms: ChangeTerms,
  facts: ClusterFacts,
  plan: MakePlan,
): PlannedChange {
  const { name, id } = member;
  const left = facts.members.filter((one) => one.isVoter && one.id !== id);
  if (left.length === 0) {
    throw new MemberChangeRefusedError(`"${name}" is the only voter`);
  }
  if (member.isVoter) mustKeepQuorum(`remove "${name}"`, left, terms);
  const first = id === facts.self
    ? [`hand the leadership over, as "${name}" leads`]
    : [];
  const steps = [
    ...first,
    `remove "${name}" for ever: ${left.length} voters then`,
  ];
  return { plan: plan(steps), member, isNeeded: true };
}

function planTransfer(
  name: string,
  facts: ClusterFacts,
  plan: MakePlan,
): PlannedChange {
  const heir = name === "" ? bestHeir(facts) : memberOf(name, facts);
  if (heir === null) {
    throw new MemberChangeRefusedError("no other voter is up to lead");
  }
  if (heir.id === facts.self) {
    const steps = [`"${heir.name}" leads already`];
    return { plan: plan(steps), member: heir, isNeeded: false };
  }
  if (!heir.isVoter) {
    throw new MemberChangeRefusedError(`"${heir.name}" is a learner`);
  }
  const steps = [`hand the leadership to "${heir.name}"`];
  return { plan: plan(steps), member: heir, isNeeded: true };
}

/** The other voter that is up and furthest; `null` when there is none. */
export function bestHeir(facts: ClusterFacts): MemberFacts | null {
  let best: MemberFacts | null = null;
  for (const member of facts.members) {
    if (!member.isVoter || !member.isActive) continue;
    if (member.id === facts.self) continue;
    if (best === null || member.match > best.match) best = member;
  }
  return best;
}

/** @throws {MemberUnknownError} */
function memberOf(name: string, { members }: ClusterFacts): MemberFacts {
  const member = members.find((one) => one.name === name);
  if (member === undefined) throw new MemberUnknownError(name);
  return member;
}

/** @throws {QuorumAtRiskError} Unless the risk is accepted. */
function mustKeepQuorum(
  change: string,
  voters: readonly MemberFacts[],
  { accept }: ChangeTerms,
): void {
  const healthy = voters.filter(({ isActive }) => isActive).length;
  const needed = majorityOf(voters.length);
  if (healthy >= needed || accept.includes(QUORUM_LOSS)) return;
  throw new QuorumAtRiskError(change, { healthy, needed });
}

/** Over everything that makes a plan another one. */
function planHash(request: MemberRequest, facts: ClusterFacts): string {
  const { clusterName, self, term, confState, members } = facts;
  const list = members.map(({ id, name, peerAddress }) => [
    id,
    name,
    peerAddress,
  ]);
  const text = JSON.stringify([
    ...["sealkv plan v1", clusterName, self, term],
    ...[confState, list, request],
  ]);
  return toHex(sha256(utf8(text))).slice(0, 16);
}
