import { CLUSTER_ID_BYTES } from "../base/identity.ts";
import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes } from "../base/bytes.ts";
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

const HEADER_BYTES = PREFIX_BYTES + GCM_NONCE_BYTES;
/** Length of a storage envelope over its plaintext. */
export const STORAGE_ENVELOPE_OVERHEAD_BYTES = HEADER_BYTES + GCM_TAG_BYTES;

const SHAPE: EnvelopeShape = {
  what: "storage envelope",
  nonceAt: PREFIX_BYTES,
};
/** Of a record; fixed, so that it cannot run into the store key. */
const RECORD_HEADER_BYTES = 21;

/** A session that seals. `key` is of this `keyId` and of the `nonces`. */
export interface StorageSession {
  readonly key: CryptoKey;
  readonly keyId: KeyId;
  readonly nonces: NonceSequence;
  readonly clusterId: Bytes;
}

/**
 * Seals a record's plaintext to its header, its place and its cluster.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       1      flag = 0
 *     2       4      key id
 *     6       12     nonce
 *     18      n      ciphertext
 *     18 + n  16     tag
 *
 *     AAD = version ‖ flag ‖ key_id ‖ cluster_id ‖ record header ‖ store key
 *
 * The nonce is taken before this returns.
 *
 * @throws {NoncesExhaustedError} The session is used up.
 */
export async function sealStorageEnvelope(
  session: StorageSession,
  header: Bytes,
  storeKey: Bytes,
  plaintext: Bytes,
): Promise<Bytes> {
  const envelope = new Uint8Array(
    plaintext.length + STORAGE_ENVELOPE_OVERHEAD_BYTES,
  );
  const nonce = session.nonces.next();
  writePrefix(envelope, session.keyId);
  envelope.set(nonce, PREFIX_BYTES);
  const aad = aadOf(envelope, session.clusterId, header, storeKey);
  const sealed = await sealGcm(session.key, { nonce, aad }, plaintext);
  envelope.set(sealed, HEADER_BYTES);
  return envelope;
}

/** @throws {EnvelopeRejectedError} Another key or place, or a changed byte. */
export async function openStorageEnvelope(
  session: Pick<StorageSession, "key" | "clusterId">,
  header: Bytes,
  storeKey: Bytes,
  envelope: Bytes,
): Promise<Bytes> {
  const found = readHeader(envelope, SHAPE);
  if (found instanceof EnvelopeRejectedError) throw found;
  const nonce = envelope.subarray(PREFIX_BYTES, HEADER_BYTES);
  const aad = aadOf(envelope, session.clusterId, header, storeKey);
  const sealed = envelope.subarray(HEADER_BYTES);
  const plaintext = await openGcm(session.key, { nonce, aad }, sealed);
  if (plaintext === null) throw tagMismatch(SHAPE, found);
  return plaintext;
}

/** Which session opens it, nothing vouched for; `null` if none can. */
export function peekStorageEnvelope(bytes: Uint8Array): EnvelopeHeader | null {
  const found = readHeader(bytes, SHAPE);
  return found instanceof EnvelopeRejectedError ? null : found;
}

function aadOf(
  envelope: Bytes,
  clusterId: Bytes,
  header: Bytes,
  storeKey: Bytes,
): Bytes {
  assert(clusterId.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
  assert(header.length === RECORD_HEADER_BYTES, "a record header has 21 bytes");
  const prefix = envelope.subarray(0, PREFIX_BYTES);
  return concatBytes(prefix, clusterId, header, storeKey);
}
