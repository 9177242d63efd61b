import { CLUSTER_ID_BYTES } from "../base/identity.ts";
import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, openGcm, sealGcm } from "./aes_gcm.ts";
import {
  type EnvelopeHeader,
  type EnvelopeShape,
  PREFIX_BYTES,
  readHeader,
  tagMismatch,
  writePrefix,
} from "./envelope_header.ts";
import { EnvelopeRejectedError } from "./errors.ts";
import type { NonceSequence } from "./nonce.ts";
import { RAFT_SALT_BYTES } from "./session.ts";

const NONCE_AT = PREFIX_BYTES + RAFT_SALT_BYTES;
const HEADER_BYTES = NONCE_AT + GCM_NONCE_BYTES;
/** Length of a raft envelope over its payload. */
export const RAFT_ENVELOPE_OVERHEAD_BYTES = HEADER_BYTES + GCM_TAG_BYTES;

const SHAPE: EnvelopeShape = { what: "raft envelope", nonceAt: NONCE_AT };
const KIND = utf8("R");

/** A session that seals. `key` is of this `keyId`, `salt` and the `nonces`. */
export interface RaftSession {
  readonly key: CryptoKey;
  readonly keyId: KeyId;
  readonly nonces: NonceSequence;
  readonly clusterId: Bytes;
  /** RAFT_SALT_BYTES. */
  readonly salt: Bytes;
}

/** Whose key a raft envelope needs, and what it is derived with. */
export interface RaftEnvelopeHeader extends EnvelopeHeader {
  readonly salt: Bytes;
}

/**
 * Seals a payload of the log to its cluster; it carries its session's salt,
 * because every member opens it.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       1      flag = 0
 *     2       4      key id
 *     6       16     session salt
 *     22      12     nonce
 *     34      n      ciphertext
 *     34 + n  16     tag
 *
 *     AAD = "R" ‖ version ‖ flag ‖ key_id ‖ cluster_id ‖ salt
 *
 * The nonce is taken before this returns.
 *
 * @throws {NoncesExhaustedError} The session is used up.
 */
export async function sealRaftEnvelope(
  session: RaftSession,
  payload: Bytes,
): Promise<Bytes> {
  const { salt } = session;
  assert(salt.length === RAFT_SALT_BYTES, "a raft session's salt has 16 bytes");
  const envelope = new Uint8Array(
    payload.length + RAFT_ENVELOPE_OVERHEAD_BYTES,
  );
  const nonce = session.nonces.next();
  writePrefix(envelope, session.keyId);
  envelope.set(salt, PREFIX_BYTES);
  envelope.set(nonce, NONCE_AT);
  const aad = aadOf(envelope, session.clusterId);
  const sealed = await sealGcm(session.key, { nonce, aad }, payload);
  envelope.set(sealed, HEADER_BYTES);
  return envelope;
}

/** @throws {EnvelopeRejectedError} Another key or cluster, or a changed byte. */
export async function openRaftEnvelope(
  session: Pick<RaftSession, "key" | "clusterId">,
  envelope: Bytes,
): Promise<Bytes> {
  const found = readHeader(envelope, SHAPE);
  if (found instanceof EnvelopeRejectedError) throw found;
  const nonce = envelope.subarray(NONCE_AT, HEADER_BYTES);
  const aad = aadOf(envelope, session.clusterId);
  const sealed = envelope.subarray(HEADER_BYTES);
  const payload = await openGcm(session.key, { nonce, aad }, sealed);
  if (payload === null) throw tagMismatch(SHAPE, found);
  return payload;
}

/** Which session opens it, nothing vouched for; `null` if none can. */
export function peekRaftEnvelope(bytes: Uint8Array): RaftEnvelopeHeader | null {
  const found = readHeader(bytes, SHAPE);
  if (found instanceof EnvelopeRejectedError) return null;
  return { ...found, salt: bytes.slice(PREFIX_BYTES, NONCE_AT) };
}

function aadOf(envelope: Bytes, clusterId: Bytes): Bytes {
  assert(clusterId.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
  return concatBytes(
    KIND,
    envelope.subarray(0, PREFIX_BYTES),
    clusterId,
    envelope.subarray(PREFIX_BYTES, NONCE_AT),
  );
}
