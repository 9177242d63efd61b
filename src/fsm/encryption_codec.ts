import { toBinary } from "@bufbuild/protobuf";
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { node16Of } from "../base/identity.ts";
import { checkEncryptionState } from "./encryption_invariants.ts";
import { keyFromMessage, keyToMessage } from "./encryption_key_codec.ts";
import { CommandMalformedError } from "./errors.ts";
import {
  type EncryptionState as StateMessage,
  EncryptionStateSchema,
  type KeyState as KeyStateMessage,
  type WriterRow as WriterMessage,
} from "./gen/command_pb.ts";
import { RETIRED_MAX, WRITERS_MAX } from "./limits.ts";
import { parseCanonical } from "./member_codec.ts";
import {
  type EncryptionState,
  type KeyEntry,
  NO_ENCRYPTION,
  writerId,
  type WriterRow,
} from "./types.ts";

/** Longest encoding of the encryption state. */
export const ENCRYPTION_STATE_BYTES_MAX = 2 ** 18;

/** Key id 6, node id 9, epochs 4 each; 2 of framing. */
const WRITER_BYTES_MAX = 25;
/** A key id each; 4 of framing. */
const RETIRED_BYTES_MAX = RETIRED_MAX * 5 + 4;
/** Four indexes of 9 and three key ids of 6. */
const SCALAR_BYTES_MAX = 4 * 9 + 3 * 6;
/**
 * Longest encoding of the keys with their wraps: what the other parts leave.
 * Of 128 keys each has 1,012 bytes for its wraps; 8 file KEKs take 696.
 */
export const KEYS_BYTES_MAX = ENCRYPTION_STATE_BYTES_MAX -
  WRITERS_MAX * WRITER_BYTES_MAX - RETIRED_BYTES_MAX - SCALAR_BYTES_MAX;

/**
 * Encodes the whole state, for the store's row and for checkpoints: protobuf
 * `EncryptionState` in its one form. NO_ENCRYPTION is no bytes.
 */
export function encodeEncryptionState(state: EncryptionState): Bytes {
  const rule = brokenRule(state);
  assert(rule === null, `an encryption state: ${rule}`);
  const bytes = toBinary(EncryptionStateSchema, toMessage(state));
  assert(bytes.length <= ENCRYPTION_STATE_BYTES_MAX, "its parts bound a state");
  return bytes;
}

/** @throws {CommandMalformedError} For anything `encodeEncryptionState` never wrote. */
export function decodeEncryptionState(bytes: Uint8Array): EncryptionState {
  if (bytes.length > ENCRYPTION_STATE_BYTES_MAX) {
    throw new CommandMalformedError(
      `an encryption state must be at most ${ENCRYPTION_STATE_BYTES_MAX} bytes`,
      bytes.length,
    );
  }
  const state = fromMessage(parseCanonical(EncryptionStateSchema, bytes, 0));
  const rule = brokenRule(state);
  if (rule !== null) throw new CommandMalformedError(rule, 0);
  return state;
}

/** What the keys take of the state's encoding. */
export function keysBytes({ keys }: EncryptionState): number {
  const message = toMessage({ ...NO_ENCRYPTION, keys });
  return toBinary(EncryptionStateSchema, message).length;
}

function brokenRule(state: EncryptionState): string | null {
  const rule = checkEncryptionState(state);
  if (rule !== null) return rule;
  return keysBytes(state) > KEYS_BYTES_MAX
    ? `keys must take at most ${KEYS_BYTES_MAX} bytes`
    : null;
}

function toMessage(state: EncryptionState): StateMessage {
  return {
    $typeName: "sealkv.fsm.v1.EncryptionState",
    stateIndex: BigInt(state.stateIndex),
    keys: [...state.keys.values()].map(entryToMessage),
    retired: [...state.retired],
    activeStorage: state.active.storage,
    activeRaft: state.active.raft,
    stateKey: state.stateKey,
    storageCutoverIndex: BigInt(state.storageCutoverIndex),
    raftCutoverIndex: BigInt(state.raftCutoverIndex),
    cleartextLockIndex: BigInt(state.cleartextLockIndex),
    writers: [...state.writers.values()].map(writerToMessage),
  };
}

/** Reads a message whose values are yet to be checked. */
function fromMessage(message: StateMessage): EncryptionState {
  const keys = message.keys.map(entryFromMessage);
  const writers = message.writers.map(writerFromMessage);
  const state = {
    stateIndex: Number(message.stateIndex),
    keys: new Map(keys.map((key) => [key.id, key])),
    retired: new Set(message.retired),
    active: { storage: message.activeStorage, raft: message.activeRaft },
    stateKey: message.stateKey,
    storageCutoverIndex: Number(message.storageCutoverIndex),
    raftCutoverIndex: Number(message.raftCutoverIndex),
    cleartextLockIndex: Number(message.cleartextLockIndex),
    writers: new Map(
      writers.map((row) => [writerId(row.keyId, row.node16), row]),
    ),
  };
  const isOnce = state.keys.size === keys.length &&
    state.writers.size === writers.length &&
    state.retired.size === message.retired.length;
  if (!isOnce) {
    throw new CommandMalformedError("nothing must be there twice", 0);
  }
  return state;
}

function entryToMessage(entry: KeyEntry): KeyStateMessage {
  return {
    $typeName: "sealkv.fsm.v1.KeyState",
    key: keyToMessage(entry),
    createdIndex: BigInt(entry.createdIndex),
    deactivatedIndex: BigInt(entry.deactivatedIndex),
  };
}

function entryFromMessage(message: KeyStateMessage): KeyEntry {
  return {
    ...keyFromMessage(message.key),
    createdIndex: Number(message.createdIndex),
    deactivatedIndex: Number(message.deactivatedIndex),
  };
}

function writerToMessage(row: WriterRow): WriterMessage {
  const { keyId, fullNodeId, firstEpoch, lastEpoch } = row;
  return {
    $typeName: "sealkv.fsm.v1.WriterRow",
    keyId,
    fullNodeId,
    firstEpoch,
    lastEpoch,
  };
}

function writerFromMessage(message: WriterMessage): WriterRow {
  const { keyId, fullNodeId, firstEpoch, lastEpoch } = message;
  const node16 = node16Of(fullNodeId);
  return { keyId, node16, fullNodeId, firstEpoch, lastEpoch };
}
