import { toBinary } from "@bufbuild/protobuf";
import { assert } from "../base/assert.ts";
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { CommandMalformedError } from "./errors.ts";
import { MemberContextSchema } from "./gen/command_pb.ts";
import {
  brokenListRule,
  MEMBER_LIST_BYTES_MAX,
  memberFromMessage,
  memberToMessage,
  parseCanonical,
} from "./member_codec.ts";
import {
  type FsmState,
  type Member,
  type MemberId,
  MEMBERS_MAX,
} from "./types.ts";

/** The member of a cluster that was founded before members were known. */
const LONE_FOUNDER: MemberId = 1;

/** A change of the membership: ids in any order and role, repeats allowed. */
export interface MembershipChange {
  readonly before: readonly MemberId[];
  readonly after: readonly MemberId[];
  /** What `encodeMemberContext` gave; empty for no members. */
  readonly context: Uint8Array;
}

/**
 * Encodes the context of a change that adds `members`: ids ascending, no name
 * twice, at most MEMBERS_MAX. No members are no bytes.
 */
export function encodeMemberContext(members: readonly Member[]): Bytes {
  const rule = brokenListRule(members);
  assert(rule === null, `members of a change: ${rule}`);
  return toBinary(MemberContextSchema, {
    $typeName: "sealkv.fsm.v1.MemberContext",
    members: members.map(memberToMessage),
  });
}

/** @throws {CommandMalformedError} For anything `encodeMemberContext` never wrote. */
export function decodeMemberContext(bytes: Uint8Array): readonly Member[] {
  if (bytes.length > MEMBER_LIST_BYTES_MAX) {
    throw new CommandMalformedError(
      `members must be at most ${MEMBER_LIST_BYTES_MAX} bytes`,
      bytes.length,
    );
  }
  const message = parseCanonical(MemberContextSchema, bytes, 0);
  const members = message.members.map(memberFromMessage);
  const rule = brokenListRule(members);
  if (rule !== null) throw new CommandMalformedError(rule, 0);
  return members;
}

/**
 * Returns `state` with the members that `change` leaves: those it removes are
 * dropped, those it adds come from its context. The very state given when the
 * same members are left.
 *
 * Raft decides about ids, whatever their context says, so every well-formed
 * change has an answer. The leader refuses these before it proposes them:
 *
 * 1. An added id without context is a member named `id-N` without addresses.
 * 2. An added member whose name another one has is named `id-N`, with dashes
 *    after it until the name is its own.
 * 3. An added id that is a member already stays as it is.
 * 4. Beyond MEMBERS_MAX the later ids are left out.
 *
 * A member whose id the change names but does not add is not looked up in the
 * context: promoting a learner changes nothing here.
 *
 * @throws {CommandMalformedError} When the context is not a list of members.
 */
export function membersAfter(
  state: FsmState,
  change: MembershipChange,
): FsmState {
  const context = new Map(
    decodeMemberContext(change.context).map((member) => [member.id, member]),
  );
  const before = new Set(change.before);
  const after = new Set(change.after);
  const kept = [...state.members.values()].filter(({ id }) => after.has(id));
  const members = new Map(kept.map((member) => [member.id, member]));
  const names = new Set(kept.map(({ name }) => name));
  const added = [...after].filter((id) => !before.has(id) && !members.has(id))
    .sort((a, b) => a - b)
    .slice(0, MEMBERS_MAX - kept.length);
  if (added.length === 0 && kept.length === state.members.size) return state;
  for (const id of added) {
    const member = withFreeName(context.get(id) ?? unnamed(id), names);
    names.add(member.name);
    members.set(id, member);
  }
  return { ...state, members: inOrder(members) };
}

function unnamed(id: MemberId): Member {
  return {
    id,
    name: `id-${id}`,
    peerAddress: "",
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  };
}

/** 19 characters and a dash for each other member at most: a name holds it. */
function withFreeName(member: Member, names: ReadonlySet<string>): Member {
  if (!names.has(member.name)) return member;
  let name = `id-${member.id}`;
  while (names.has(name)) name += "-";
  return { ...member, name };
}

/**
 * Returns `state` after `member` said how to reach it, or why that is refused.
 * The very state given when it says nothing new.
 *
 * Takes addresses, disk id and protocol version of a member of this id and
 * name whose disk is unknown or the same: another disk has forgotten votes.
 */
export function memberAnnounced(
  state: FsmState,
  member: Member,
): FsmState | string {
  if (state.clusterId === null) return "The cluster has not been founded";
  const known = state.members.get(member.id);
  if (known === undefined) {
    if (state.members.size > 0 || member.id !== LONE_FOUNDER) {
      return `No member has raft id ${member.id}`;
    }
    return { ...state, members: new Map([[member.id, member]]) };
  }
  if (known.name !== member.name) {
    return `Member ${known.id} is "${known.name}", not "${member.name}"`;
  }
  if (known.diskId !== null && !isSameDisk(known.diskId, member.diskId)) {
    return `Member "${known.name}" is known with another disk`;
  }
  const { promoteWhenCaughtUp } = known;
  const next = { ...member, promoteWhenCaughtUp };
  if (isSameMember(known, next)) return state;
  return { ...state, members: new Map(state.members).set(known.id, next) };
}

function isSameMember(a: Member, b: Member): boolean {
  return a.peerAddress === b.peerAddress &&
    a.clientAddress === b.clientAddress &&
    a.adminAddress === b.adminAddress &&
    a.protocolVersion === b.protocolVersion &&
    isSameDisk(a.diskId, b.diskId);
}

function isSameDisk(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b);
}

function inOrder(
  members: ReadonlyMap<MemberId, Member>,
): ReadonlyMap<MemberId, Member> {
  return new Map([...members].sort(([a], [b]) => a - b));
}
