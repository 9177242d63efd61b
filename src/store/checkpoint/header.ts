import { SALT_BYTES } from "../../base/data_key.ts";
import { CLUSTER_ID_BYTES } from "../../base/identity.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert } from "../../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  equalBytes,
  utf8,
  viewOf,
} from "../../base/bytes.ts";
import { type KeyId, NO_KEY } from "../../base/data_key.ts";
import { NodeError } from "../../base/error.ts";
import { sha256 } from "../../base/sha256.ts";
import {
  decodeEncryptionState,
  encodeEncryptionState,
  ENCRYPTION_STATE_BYTES_MAX,
} from "../../fsm/encryption_codec.ts";
import {
  decodeRolloutState,
  encodeRolloutState,
} from "../../fsm/rollout_codec.ts";
import {
  DATABASES_MAX,
  type EncryptionState,
  type Member,
  MEMBERS_MAX,
  NO_ENCRYPTION,
  NO_ROLLOUT,
  type RolloutState,
} from "../../fsm/types.ts";
import {
  CheckpointDamagedError,
  CheckpointUnsupportedError,
} from "../errors.ts";
import {
  type CheckpointConfState,
  type CheckpointHeader as HeaderMessage,
  CheckpointHeaderSchema,
  type CheckpointMember,
} from "../gen/checkpoint_pb.ts";
import type { CheckpointState, StoredConfState } from "../meta.ts";
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN } from "./chunks.ts";

const MAGIC = utf8("SEALKVC1");
/** What later formats will start with, too. */
const MAGIC_NAME_BYTES = 7;
export const HEADER_PREFIX_BYTES = MAGIC.length + 4;
const HASH_BYTES = 32;
/**
 * Protobuf of a header: 32 members and four lists of ids are below 70 KiB, the
 * rollout is below 56, the rest of 2^18 is for what later programs add; the encryption state comes to it.
 */
export const HEADER_BODY_BYTES_MAX = 2 ** 18 + ENCRYPTION_STATE_BYTES_MAX;

const DISK_ID_BYTES = 16;
/** As the meta and members rows have them. */
const CLUSTER_NAME_BYTES_MAX = 1_024;
const CONF_IDS_MAX = 1_024;
const MEMBER_NAME_BYTES_MAX = 63;
const MEMBER_ADDRESS_BYTES_MAX = 300;

/** What a stream says before its chunks. */
export interface CheckpointHeader {
  /** All of the state but its databases, which are items of the stream. */
  readonly state: CheckpointState;
  /** Databases among the items. */
  readonly databases: number;
  readonly chunkBytes: number;
  /** 32 bytes, drawn for this stream. */
  readonly salt: Bytes;
}

/**
 * The storage key that the chunks of a stream of `state` are sealed under;
 * NO_KEY for cleartext. Sealed are exactly those with a storage cutover.
 */
export function streamKeyId({ fsm: { encryption } }: CheckpointState): KeyId {
  return encryption.storageCutoverIndex > 0
    ? encryption.active.storage
    : NO_KEY;
}

/**
 * Encodes a header; ends with the hash that chunks vouch for.
 *
 *     offset  bytes  field
 *     0       8      "SEALKVC1"
 *     8       4      length n of the protobuf
 *     12      n      CheckpointHeader (checkpoint.proto)
 *     12 + n  32     SHA-256 of all before
 */
export function encodeHeader(header: CheckpointHeader): Bytes {
  const { state, databases, chunkBytes, salt } = header;
  const { applied, confState, fsm } = state;
  assert(salt.length === SALT_BYTES, "a stream salt has 32 bytes");
  const body = toBinary(
    CheckpointHeaderSchema,
    create(CheckpointHeaderSchema, {
      ...{ databases, chunkBytes, streamSalt: salt },
      keyId: streamKeyId(state),
      ...(fsm.clusterId === null ? {} : { clusterId: fsm.clusterId }),
      clusterName: fsm.clusterName,
      index: BigInt(applied.index),
      term: BigInt(applied.term),
      confState: toConfMessage(confState),
      members: [...fsm.members.values()].sort((a, b) => a.id - b.id)
        .map(toMemberMessage),
      clockMs: BigInt(fsm.clockMs),
      encryptionState: encodeEncryptionState(fsm.encryption),
      rollout: encodeRolloutState(fsm.rollout),
    }),
  );
  assert(body.length <= HEADER_BODY_BYTES_MAX, "a header is short");
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, body.length);
  const hashed = concatBytes(MAGIC, length, body);
  return concatBytes(hashed, sha256(hashed));
}

/** The hash at the end of an encoded header. */
export function headerHash(header: Bytes): Bytes {
  return header.slice(-HASH_BYTES);
}

/**
 * Length of the header that starts with these HEADER_PREFIX_BYTES.
 *
 * @throws {CheckpointUnsupportedError} Written by a later program.
 * @throws {CheckpointDamagedError} Not the start of a checkpoint.
 */
export function headerBytes(file: string, prefix: Uint8Array): number {
  const name = prefix.subarray(0, MAGIC_NAME_BYTES);
  if (!equalBytes(name, MAGIC.subarray(0, MAGIC_NAME_BYTES))) {
    throw new CheckpointDamagedError(file, "another kind of file", 0);
  }
  if (prefix.length < HEADER_PREFIX_BYTES) throw cutShort(file);
  if (prefix[MAGIC_NAME_BYTES] !== MAGIC[MAGIC_NAME_BYTES]) {
    throw new CheckpointUnsupportedError(file, "an unknown format");
  }
  const length = viewOf(prefix).getUint32(MAGIC.length);
  if (length > HEADER_BODY_BYTES_MAX) {
    throw new CheckpointDamagedError(file, "a header too long", 0);
  }
  return HEADER_PREFIX_BYTES + length + HASH_BYTES;
}

/**
 * Reads what `encodeHeader` wrote: as many bytes as `headerBytes` said.
 *
 * @throws {CheckpointUnsupportedError} Written by a later program.
 * @throws {CheckpointDamagedError} Anything else that is not a header.
 */
export function decodeHeader(file: string, bytes: Bytes): CheckpointHeader {
  if (bytes.length < headerBytes(file, bytes)) throw cutShort(file);
  const until = bytes.length - HASH_BYTES;
  if (!equalBytes(bytes.subarray(until), sha256(bytes.subarray(0, until)))) {
    throw new CheckpointDamagedError(file, "wrong header hash", 0);
  }
  const message = parse(file, bytes.subarray(HEADER_PREFIX_BYTES, until));
  const refuse = (fault: string, options?: ErrorOptions) =>
    new CheckpointDamagedError(file, fault, 0, options);
  return readMessage(message, refuse);
}

/** Strictly: what the header does not decide, nobody may hide in it. */
function parse(file: string, body: Uint8Array): HeaderMessage {
  let message: HeaderMessage;
  try {
    message = fromBinary(CheckpointHeaderSchema, body);
  } catch (cause) {
    throw new CheckpointDamagedError(file, "no protobuf", 0, { cause });
  }
  const parts = [message, message.confState, ...message.members];
  if (parts.some((part) => part?.$unknown !== undefined)) {
    throw new CheckpointUnsupportedError(file, "unknown header fields");
  }
  if (!equalBytes(toBinary(CheckpointHeaderSchema, message), body)) {
    throw new CheckpointDamagedError(file, "header fields out of order", 0);
  }
  return message;
}

type Refuse = (
  fault: string,
  options?: ErrorOptions,
) => CheckpointDamagedError;

function readMessage(message: HeaderMessage, refuse: Refuse): CheckpointHeader {
  const { clusterId, clusterName, chunkBytes, databases, streamSalt } = message;
  if (utf8(clusterName).length > CLUSTER_NAME_BYTES_MAX) {
    throw refuse("a cluster name too long");
  }
  if (chunkBytes < CHUNK_BYTES_MIN || chunkBytes > CHUNK_BYTES_MAX) {
    throw refuse("a chunk size out of range");
  }
  if (streamSalt.length !== SALT_BYTES) throw refuse("a salt of another size");
  if (databases > DATABASES_MAX) throw refuse("too many databases");
  const state = {
    applied: {
      index: safe(message.index, refuse),
      term: safe(message.term, refuse),
    },
    confState: readConfState(message.confState, refuse),
    fsm: {
      clockMs: safe(message.clockMs, refuse),
      clusterId: readId(clusterId, CLUSTER_ID_BYTES, refuse),
      clusterName,
      databases: new Map(),
      members: readMembers(message.members, refuse),
      encryption: readEncryption(message, refuse),
      rollout: readRollout(message, refuse),
    },
  };
  if (message.keyId !== streamKeyId(state)) {
    throw refuse("another key than its state");
  }
  return { state, databases, chunkBytes, salt: new Uint8Array(streamSalt) };
}

function toConfMessage(conf: StoredConfState) {
  return {
    voters: conf.voters.map(BigInt),
    votersOutgoing: conf.votersOutgoing.map(BigInt),
    learners: conf.learners.map(BigInt),
    learnersNext: conf.learnersNext.map(BigInt),
    autoLeave: conf.autoLeave,
  };
}

function readConfState(
  conf: CheckpointConfState | undefined,
  refuse: Refuse,
): StoredConfState {
  if (conf === undefined) throw refuse("no membership");
  const ids = (list: readonly bigint[]) => {
    if (list.length > CONF_IDS_MAX) throw refuse("too many member ids");
    return list.map((id) => safe(id, refuse));
  };
  return {
    voters: ids(conf.voters),
    votersOutgoing: ids(conf.votersOutgoing),
    learners: ids(conf.learners),
    learnersNext: ids(conf.learnersNext),
    autoLeave: conf.autoLeave,
  };
}

function toMemberMessage(member: Member) {
  const { id, diskId, ...same } = member;
  return {
    ...same,
    id: BigInt(id),
    ...(diskId === null ? {} : { diskId }),
  };
}

function readMembers(
  given: readonly CheckpointMember[],
  refuse: Refuse,
): ReadonlyMap<number, Member> {
  if (given.length > MEMBERS_MAX) throw refuse("too many members");
  const members = new Map<number, Member>();
  let last = 0;
  for (const message of given) {
    const member = readMember(message, refuse);
    if (member.id <= last) throw refuse("members out of order");
    last = member.id;
    members.set(member.id, member);
  }
  return members;
}

function readMember(message: CheckpointMember, refuse: Refuse): Member {
  const { name, peerAddress, clientAddress, adminAddress } = message;
  const addresses = [peerAddress, clientAddress, adminAddress];
  const isLong = utf8(name).length > MEMBER_NAME_BYTES_MAX ||
    addresses.some((text) => utf8(text).length > MEMBER_ADDRESS_BYTES_MAX);
  if (isLong) throw refuse("a member's name or address too long");
  return {
    id: safe(message.id, refuse),
    ...{ name, peerAddress, clientAddress, adminAddress },
    diskId: readId(message.diskId, DISK_ID_BYTES, refuse),
    protocolVersion: message.protocolVersion,
    promoteWhenCaughtUp: message.promoteWhenCaughtUp,
  };
}

function readEncryption(
  { encryptionState, index, clusterId }: HeaderMessage,
  refuse: Refuse,
): EncryptionState {
  if (encryptionState.length === 0) return NO_ENCRYPTION;
  const state = parseEncryption(encryptionState, refuse);
  if (state.stateIndex > index) throw refuse("an encryption state of later");
  if (clusterId.length === 0) throw refuse("keys without a cluster");
  return state;
}

function parseEncryption(bytes: Uint8Array, refuse: Refuse): EncryptionState {
  try {
    return decodeEncryptionState(bytes);
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause;
    throw refuse("an encryption state of another form", { cause });
  }
}

function readRollout(
  { rollout, index }: HeaderMessage,
  refuse: Refuse,
): RolloutState {
  if (rollout.length === 0) return NO_ROLLOUT;
  const state = parseRollout(rollout, refuse);
  const last = Math.max(
    state.rewrite?.id ?? 0,
    state.events.at(-1)?.index ?? 0,
  );
  if (last > index) throw refuse("a rollout of later");
  return state;
}

function parseRollout(bytes: Uint8Array, refuse: Refuse): RolloutState {
  try {
    return decodeRolloutState(bytes);
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause;
    throw refuse("a rollout of another form", { cause });
  }
}

function readId(
  bytes: Uint8Array,
  length: number,
  refuse: Refuse,
): Bytes | null {
  if (bytes.length === 0) return null;
  if (bytes.length !== length) throw refuse("an id of another size");
  return new Uint8Array(bytes);
}

function safe(value: bigint, refuse: Refuse): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse("a number too big");
  return Number(value);
}

function cutShort(file: string): CheckpointDamagedError {
  return new CheckpointDamagedError(file, "a header cut short", 0);
}
