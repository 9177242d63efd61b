import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { EMPTY_BYTES, equalBytes } from "../base/bytes.ts";
import { CommandMalformedError } from "./errors.ts";
import type { Member as MemberMessage } from "./gen/command_pb.ts";
import {
  DISK_ID_BYTES,
  type Member,
  MEMBER_ADDRESS_BYTES_MAX,
  MEMBERS_MAX,
} from "./types.ts";

const NAME = /^[a-z0-9.-]{1,63}$/;
/** Visible ASCII: one byte a character, and safe to print. */
const ADDRESS = /^[\x21-\x7e]*$/;
const UINT32_MAX = 2 ** 32 - 1;
/**
 * Longest encoding of a member as one of a list.
 *
 * 9 of id, 65 of name, 909 of addresses, 18 of disk id, 6 of version, 2 of the
 * flag and 3 of framing.
 */
export const MEMBER_BYTES_MAX = 1_012;
/** Longest encoding of a list of members. */
export const MEMBER_LIST_BYTES_MAX = MEMBERS_MAX * MEMBER_BYTES_MAX;

/** The rule that `member` breaks, `null` for none. */
export function brokenMemberRule(member: Member): string | null {
  const { id, name, diskId, protocolVersion } = member;
  if (!Number.isSafeInteger(id) || id <= 0) {
    return "a raft id must be above 0 and below 2^53";
  }
  if (!NAME.test(name)) return "a member's name must be 1 to 63 of a-z 0-9 - .";
  const { peerAddress, clientAddress, adminAddress } = member;
  for (const address of [peerAddress, clientAddress, adminAddress]) {
    if (address.length > MEMBER_ADDRESS_BYTES_MAX || !ADDRESS.test(address)) {
      return `an address must be up to ${MEMBER_ADDRESS_BYTES_MAX} visible characters`;
    }
  }
  if (diskId !== null && diskId.length !== DISK_ID_BYTES) {
    return `a disk id must have ${DISK_ID_BYTES} bytes`;
  }
  const isUint32 = Number.isInteger(protocolVersion) && protocolVersion >= 0 &&
    protocolVersion <= UINT32_MAX;
  return isUint32 ? null : "a protocol version must be a u32";
}

/** The rule that a list of members breaks, `null` for none. */
export function brokenListRule(members: readonly Member[]): string | null {
  if (members.length > MEMBERS_MAX) {
    return `there must be at most ${MEMBERS_MAX} members`;
  }
  const names = new Set<string>();
  let last = 0;
  for (const member of members) {
    const rule = brokenMemberRule(member);
    if (rule !== null) return rule;
    if (member.id <= last) return "members must be in the order of their ids";
    if (names.has(member.name)) return "members must have names of their own";
    last = member.id;
    names.add(member.name);
  }
  return null;
}

export function memberToMessage(member: Member): MemberMessage {
  const { id, diskId, ...rest } = member;
  return {
    ...rest,
    $typeName: "sealkv.fsm.v1.Member",
    id: BigInt(id),
    diskId: diskId ?? EMPTY_BYTES,
  };
}

/** Reads a message whose values are yet to be checked. */
export function memberFromMessage(message: MemberMessage): Member {
  return {
    id: Number(message.id),
    name: message.name,
    peerAddress: message.peerAddress,
    clientAddress: message.clientAddress,
    adminAddress: message.adminAddress,
    diskId: message.diskId.length === 0 ? null : new Uint8Array(message.diskId),
    protocolVersion: message.protocolVersion,
    promoteWhenCaughtUp: message.promoteWhenCaughtUp,
  };
}

/**
 * Decodes protobuf in its one canonical form.
 *
 * `offset` is where `body` starts in what is decoded, for errors.
 *
 * @throws {CommandMalformedError} For any other form, and for unknown fields.
 */
export function parseCanonical<Shape extends Message>(
  schema: GenMessage<Shape>,
  body: Uint8Array,
  offset: number,
): Shape {
  const message = parse(schema, body, offset);
  // protobuf-es forgives what decides nothing for it: repeated fields, their
  // order, long varints, defaults written out. Unknown fields it would keep.
  const canonical = toBinary(schema, message, { writeUnknownFields: false });
  if (!equalBytes(canonical, body)) {
    throw new CommandMalformedError(
      "its fields must be known and in order",
      offset,
    );
  }
  return message;
}

function parse<Shape extends Message>(
  schema: GenMessage<Shape>,
  body: Uint8Array,
  offset: number,
): Shape {
  try {
    return fromBinary(schema, body);
  } catch (cause) {
    throw new CommandMalformedError("it must be protobuf", offset, { cause });
  }
}
