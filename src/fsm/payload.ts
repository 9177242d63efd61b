import { CLUSTER_ID_BYTES } from "../base/identity.ts";
import { toBinary } from "@bufbuild/protobuf";
import { assert } from "../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../base/bytes.ts";
import {
  type CommandBatch,
  decodeBatch,
  encodeBatch as encodeBatchBody,
} from "./batch_codec.ts";
import { decodeEncryption, isEncryptionPayload } from "./encryption_payload.ts";
import { CommandMalformedError, CommandUnknownError } from "./errors.ts";
import { AnnouncementSchema, ClusterInitSchema } from "./gen/command_pb.ts";
import {
  brokenListRule,
  brokenMemberRule,
  MEMBER_BYTES_MAX,
  MEMBER_LIST_BYTES_MAX,
  memberFromMessage,
  memberToMessage,
  parseCanonical,
} from "./member_codec.ts";
import { decodeRollout, TAG_ROLLOUT } from "./rollout_payload.ts";
import type {
  AtomicWrite,
  EncryptionChange,
  Member,
  RolloutChange,
} from "./types.ts";

/*
 *     offset  bytes  field
 *     0       1      tag
 *     1       ..     body: CommandBatch, u64 Unix ms, ClusterInit or Announcement;
 *                    of 0x03 to 0x05 in encryption_payload.ts, of 0x07 in
 *                    rollout_payload.ts
 */
const TAG_BATCH = 0x01;
const TAG_CLOCK = 0x02;
const TAG_CLUSTER_INIT = 0x06;
const TAG_ANNOUNCEMENT = 0x08;

const BATCH_HEAD = Uint8Array.of(TAG_BATCH);
const CLOCK_BYTES = 9;
/** Names that a cluster is given have up to 63; this many the store keeps. */
const CLUSTER_NAME_BYTES_MAX = 1_024;
/** Id and name with their framing, and the members. */
const CLUSTER_INIT_BYTES_MAX = 18 + 3 + CLUSTER_NAME_BYTES_MAX +
  MEMBER_LIST_BYTES_MAX;

/** What one log entry tells the fsm to do. */
export type Payload =
  | { readonly kind: "batch" } & CommandBatch
  | { readonly kind: "clock"; readonly clockMs: number }
  | {
    readonly kind: "cluster-init";
    readonly clusterId: Bytes;
    readonly clusterName: string;
    /** Ids ascending; none in entries of the version that knew no members. */
    readonly members: readonly Member[];
  }
  /** With a disk id; whether to promote it is not for a member to say. */
  | { readonly kind: "announcement"; readonly member: Member }
  | { readonly kind: "encryption"; readonly change: EncryptionChange }
  | { readonly kind: "rollout"; readonly change: RolloutChange };

/** Encodes one proposal's writes; at most BATCH_WRITES_MAX. */
export function encodeBatch(
  writes: readonly AtomicWrite[],
  nowMs: number,
): Bytes {
  return encodeBatchBody({ nowMs, writes }, BATCH_HEAD);
}

/** Encodes a clock lease: the replicated clock reaches at least `clockMs`. */
export function encodeClock(clockMs: number): Bytes {
  const bytes = new Uint8Array(CLOCK_BYTES);
  bytes[0] = TAG_CLOCK;
  setUint64(viewOf(bytes), 1, clockMs);
  return bytes;
}

/**
 * Encodes the entry that founds the cluster; the id has 16 bytes.
 *
 * `members` are the founding ones: ids ascending, no name twice, at most
 * MEMBERS_MAX.
 */
export function encodeClusterInit(
  clusterId: Bytes,
  clusterName: string,
  members: readonly Member[],
): Bytes {
  assert(clusterId.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
  const name = utf8(clusterName);
  assert(clusterName.isWellFormed(), "a cluster's name is Unicode");
  assert(name.length <= CLUSTER_NAME_BYTES_MAX, "a short cluster name");
  const rule = brokenListRule(members);
  assert(rule === null, `founding members: ${rule}`);
  const body = toBinary(ClusterInitSchema, {
    $typeName: "sealkv.fsm.v1.ClusterInit",
    clusterId,
    clusterName,
    members: members.map(memberToMessage),
  });
  return concatBytes(Uint8Array.of(TAG_CLUSTER_INIT), body);
}

/**
 * Encodes how to reach `member` and which disk it has: it must have one. Leaves
 * out `promoteWhenCaughtUp`.
 */
export function encodeAnnouncement(member: Member): Bytes {
  const rule = brokenMemberRule(member);
  assert(rule === null, `a member that announces itself: ${rule}`);
  assert(member.diskId !== null, "a member announces its disk");
  const body = toBinary(AnnouncementSchema, {
    $typeName: "sealkv.fsm.v1.Announcement",
    member: memberToMessage({ ...member, promoteWhenCaughtUp: false }),
  });
  return concatBytes(Uint8Array.of(TAG_ANNOUNCEMENT), body);
}

/**
 * Decodes one log entry's payload.
 *
 * Keys and values are views: keep `bytes` unchanged while they are in use.
 *
 * @throws {CommandUnknownError} For a tag or sub-tag of a later version.
 * @throws {CommandMalformedError} For anything else the encoders do not write.
 */
export function decodePayload(bytes: Uint8Array): Payload {
  if (isEncryptionPayload(bytes)) {
    return { kind: "encryption", change: decodeEncryption(bytes) };
  }
  const tag = bytes[0];
  switch (tag) {
    case undefined:
      throw new CommandMalformedError("it must not be empty", 0);
    case TAG_BATCH: {
      const { nowMs, writes } = decodeBatch(bytes, 1);
      return { kind: "batch", nowMs, writes };
    }
    case TAG_CLOCK:
      return decodeClock(bytes);
    case TAG_CLUSTER_INIT:
      return decodeClusterInit(bytes);
    case TAG_ROLLOUT:
      return { kind: "rollout", change: decodeRollout(bytes) };
    case TAG_ANNOUNCEMENT:
      return decodeAnnouncement(bytes);
    default:
      throw new CommandUnknownError(tag);
  }
}

function decodeClock(bytes: Uint8Array): Payload {
  if (bytes.length !== CLOCK_BYTES) {
    throw new CommandMalformedError(
      `a clock lease must have ${CLOCK_BYTES} bytes`,
      bytes.length,
    );
  }
  const clockMs = getUint64(viewOf(bytes), 1);
  if (clockMs === null) {
    throw new CommandMalformedError("numbers must stay below 2^53", 1);
  }
  return { kind: "clock", clockMs };
}

function decodeClusterInit(bytes: Uint8Array): Payload {
  checkLength(bytes, CLUSTER_INIT_BYTES_MAX);
  const init = parseCanonical(ClusterInitSchema, bytes.slice(1), 1);
  const { clusterId, clusterName } = init;
  if (clusterId.length !== CLUSTER_ID_BYTES) {
    throw new CommandMalformedError("a cluster id must have 16 bytes", 1);
  }
  if (utf8(clusterName).length > CLUSTER_NAME_BYTES_MAX) {
    throw new CommandMalformedError("a cluster's name must be short", 1);
  }
  const members = init.members.map(memberFromMessage);
  const rule = brokenListRule(members);
  if (rule !== null) throw new CommandMalformedError(rule, 1);
  return {
    kind: "cluster-init",
    clusterId: new Uint8Array(clusterId),
    clusterName,
    members,
  };
}

function decodeAnnouncement(bytes: Uint8Array): Payload {
  checkLength(bytes, MEMBER_BYTES_MAX);
  const { member: message } = parseCanonical(
    AnnouncementSchema,
    bytes.slice(1),
    1,
  );
  if (message === undefined) {
    throw new CommandMalformedError("an announcement must have a member", 1);
  }
  const member = memberFromMessage(message);
  const rule = brokenMemberRule(member);
  if (rule !== null) throw new CommandMalformedError(rule, 1);
  if (member.diskId === null || member.promoteWhenCaughtUp) {
    throw new CommandMalformedError(
      "an announcement must have a disk id and no wish to be promoted",
      1,
    );
  }
  return { kind: "announcement", member };
}

/** Before a message is made of every two bytes. */
function checkLength(bytes: Uint8Array, bodyBytesMax: number): void {
  if (bytes.length - 1 <= bodyBytesMax) return;
  throw new CommandMalformedError(
    `its body must be at most ${bodyBytesMax} bytes`,
    bytes.length,
  );
}
