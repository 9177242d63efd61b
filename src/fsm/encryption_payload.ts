import { toBinary } from "@bufbuild/protobuf";
import { assert, unreachable } from "../base/assert.ts";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/bytes.ts";
import { KEY_PURPOSES, type KeyId, KEYS_MAX } from "../base/data_key.ts";
import { ENCRYPTION_STATE_BYTES_MAX } from "./encryption_codec.ts";
import {
  DATA_KEY_BYTES_MAX,
  keyFromMessage,
  keyToMessage,
  wrapFromMessage,
  wrapToMessage,
} from "./encryption_key_codec.ts";
import { brokenChangeRule, isAscending } from "./encryption_rules.ts";
import { CommandMalformedError, CommandUnknownError } from "./errors.ts";
import {
  BootstrapSchema,
  RetireDekSchema,
  RewrapDeksSchema,
  RotateDekSchema,
  WriterRegistrationSchema,
} from "./gen/command_pb.ts";
import { parseCanonical } from "./member_codec.ts";
import type { EncryptionChange } from "./types.ts";

type Kind = EncryptionChange["kind"];

/*
 *     offset  bytes  field
 *     0       1      tag
 *     1       1      sub-tag, behind 0x05 only
 *     ..      ..     body
 */
const TAG_REGISTRATION = 0x03;
const TAG_BOOTSTRAP = 0x04;
const TAG_CHANGE = 0x05;

/** 3 of framing. */
const KEY_FIELD_BYTES_MAX = 3 + DATA_KEY_BYTES_MAX;

interface Layout {
  /** Tag, and sub-tag where there is one. */
  readonly head: readonly number[];
  /** Of the body; checked before anything is read. */
  readonly bytesMax: number;
}

const LAYOUTS: Readonly<Record<Kind, Layout>> = {
  // A node id of 9, and claims: key id 6, epoch 4, framing 2.
  "registration": { head: [TAG_REGISTRATION], bytesMax: 9 + KEYS_MAX * 12 },
  "bootstrap": {
    head: [TAG_BOOTSTRAP],
    bytesMax: KEY_PURPOSES.length * KEY_FIELD_BYTES_MAX,
  },
  "rotate-dek": {
    head: [TAG_CHANGE, 0x01],
    bytesMax: KEY_FIELD_BYTES_MAX + 6,
  },
  // The state with these wraps has to fit, and is longer.
  "rewrap-deks": {
    head: [TAG_CHANGE, 0x02],
    bytesMax: ENCRYPTION_STATE_BYTES_MAX,
  },
  "retire-dek": { head: [TAG_CHANGE, 0x03], bytesMax: 6 },
  "enable-storage-envelope": { head: [TAG_CHANGE, 0x04], bytesMax: 0 },
  "enable-raft-envelope": { head: [TAG_CHANGE, 0x05], bytesMax: 0 },
  "seal-cleartext": { head: [TAG_CHANGE, 0x06], bytesMax: 0 },
};
const KINDS = Object.keys(LAYOUTS) as readonly Kind[];

/** Payload of the entry from whose index on the log is sealed. */
const RAFT_MARKER = LAYOUTS["enable-raft-envelope"].head;

/** Tells whether `payload` is exactly that; no envelope is as short. */
export function isRaftMarker(payload: Uint8Array): boolean {
  return payload.length === RAFT_MARKER.length &&
    RAFT_MARKER.every((byte, i) => payload[i] === byte);
}

/**
 * Tells whether a payload is of an encryption entry, which is applied alone;
 * whether it decodes is another matter.
 */
export function isEncryptionPayload(payload: Uint8Array): boolean {
  const tag = payload[0];
  return tag === TAG_REGISTRATION || tag === TAG_BOOTSTRAP ||
    tag === TAG_CHANGE;
}

/**
 * Encodes what an encryption entry asks for; claims and wraps in any order.
 *
 * Asserts what the decoder refuses. Whatever `decideEncryption` takes fits.
 */
export function encodeEncryption(change: EncryptionChange): Bytes {
  const rule = brokenChangeRule(change);
  assert(rule === null, `an encryption entry: ${rule}`);
  const { head, bytesMax } = LAYOUTS[change.kind];
  const body = encodeBody(change);
  assert(body.length <= bytesMax, `a ${change.kind} fits its limit`);
  return concatBytes(Uint8Array.from(head), body);
}

/**
 * Decodes a payload of which `isEncryptionPayload` holds.
 *
 * @throws {CommandUnknownError} For a sub-tag of a later version.
 * @throws {CommandMalformedError} For anything else the encoder does not write.
 */
export function decodeEncryption(payload: Uint8Array): EncryptionChange {
  const kind = kindOf(payload);
  const { head, bytesMax } = LAYOUTS[kind];
  if (payload.length - head.length > bytesMax) {
    throw new CommandMalformedError(
      `its body must be at most ${bytesMax} bytes`,
      payload.length,
    );
  }
  const change = decodeBody(kind, payload.slice(head.length), head.length);
  const rule = brokenChangeRule(change);
  if (rule !== null) throw new CommandMalformedError(rule, head.length);
  return change;
}

function kindOf(payload: Uint8Array): Kind {
  const [tag, subTag] = payload;
  assert(tag !== undefined, "the tag has been read");
  const kind = KINDS.find((one) => {
    const { head } = LAYOUTS[one];
    return head[0] === tag && (head.length === 1 || head[1] === subTag);
  });
  if (kind !== undefined) return kind;
  if (subTag === undefined) {
    throw new CommandMalformedError("it must have a sub-tag", 1);
  }
  throw new CommandUnknownError(tag, subTag);
}

function encodeBody(change: EncryptionChange): Bytes {
  switch (change.kind) {
    case "registration":
      return toBinary(WriterRegistrationSchema, {
        $typeName: "sealkv.fsm.v1.WriterRegistration",
        fullNodeId: change.fullNodeId,
        claims: change.claims.toSorted((a, b) => a.keyId - b.keyId)
          .map((claim) => ({
            ...claim,
            $typeName: "sealkv.fsm.v1.WriterClaim" as const,
          })),
      });
    case "bootstrap":
      return toBinary(BootstrapSchema, {
        $typeName: "sealkv.fsm.v1.Bootstrap",
        keys: change.keys.map(keyToMessage),
      });
    case "rotate-dek":
      return toBinary(RotateDekSchema, {
        $typeName: "sealkv.fsm.v1.RotateDek",
        key: keyToMessage(change.key),
        replaces: change.replaces,
      });
    case "rewrap-deks":
      return toBinary(RewrapDeksSchema, {
        $typeName: "sealkv.fsm.v1.RewrapDeks",
        keys: [...change.wraps].sort(([a], [b]) => a - b)
          .map(([keyId, wraps]) => ({
            $typeName: "sealkv.fsm.v1.RewrappedKey" as const,
            keyId,
            wraps: wraps.map(wrapToMessage),
          })),
      });
    case "retire-dek":
      return toBinary(RetireDekSchema, {
        $typeName: "sealkv.fsm.v1.RetireDek",
        keyId: change.keyId,
      });
    case "enable-storage-envelope":
    case "enable-raft-envelope":
    case "seal-cleartext":
      return EMPTY_BYTES;
    default:
      return unreachable(change);
  }
}

/** Reads values that are yet to be checked. */
function decodeBody(
  kind: Kind,
  body: Uint8Array,
  offset: number,
): EncryptionChange {
  switch (kind) {
    case "registration": {
      const message = parseCanonical(WriterRegistrationSchema, body, offset);
      checkOrder(message.claims, offset);
      const claims = message.claims.map(({ keyId, epoch }) => ({
        keyId,
        epoch,
      }));
      return { kind, fullNodeId: message.fullNodeId, claims };
    }
    case "bootstrap": {
      const { keys } = parseCanonical(BootstrapSchema, body, offset);
      return { kind, keys: keys.map(keyFromMessage) };
    }
    case "rotate-dek": {
      const message = parseCanonical(RotateDekSchema, body, offset);
      const { replaces } = message;
      return { kind, key: keyFromMessage(message.key), replaces };
    }
    case "rewrap-deks": {
      const { keys } = parseCanonical(RewrapDeksSchema, body, offset);
      checkOrder(keys, offset);
      const wraps = keys.map((key) =>
        [key.keyId, key.wraps.map(wrapFromMessage)] as const
      );
      return { kind, wraps: new Map(wraps) };
    }
    case "retire-dek": {
      const { keyId } = parseCanonical(RetireDekSchema, body, offset);
      return { kind, keyId };
    }
    case "enable-storage-envelope":
    case "enable-raft-envelope":
    case "seal-cleartext":
      return { kind };
    default:
      return unreachable(kind);
  }
}

function checkOrder(
  items: readonly { readonly keyId: KeyId }[],
  offset: number,
): void {
  if (isAscending(items.map(({ keyId }) => keyId))) return;
  throw new CommandMalformedError("keys must be in the order of ids", offset);
}
