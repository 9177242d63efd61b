import { assert } from "../base/assert.ts";
import { type Bytes, setUint64, utf8, viewOf } from "../base/bytes.ts";
import { type KeyId, SALT_BYTES } from "../base/data_key.ts";
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, openGcm, sealGcm } from "./aes_gcm.ts";
import { contextBytes, keyIdBytes } from "./context.ts";
import type { Dek } from "./dek.ts";
import { EnvelopeRejectedError } from "./errors.ts";
import { deriveAesKey } from "./hkdf.ts";

/** Length of a sealed chunk over its plaintext. */
export const CHUNK_OVERHEAD_BYTES = GCM_TAG_BYTES;

const CHECKPOINT = utf8("sealkv checkpoint v1");
const HEADER_HASH_BYTES = 32;
const WHAT = "checkpoint chunk";

/** Where in which stream a chunk is. */
export interface ChunkPlace {
  /** From 0. */
  readonly number: number;
  readonly isLast: boolean;
  /** SHA-256 of the header's bytes: 32 bytes. */
  readonly headerHash: Bytes;
}

/**
 * The key of one stream. A chunk's number is its nonce, so `salt` (32 random
 * bytes) is drawn for each file that is written, and the file never changes.
 */
export async function deriveCheckpointKey(
  dek: Dek,
  { clusterId, keyId, salt }: {
    readonly clusterId: Bytes;
    readonly keyId: KeyId;
    readonly salt: Bytes;
  },
): Promise<CryptoKey> {
  assert(salt.length === SALT_BYTES, "a stream's salt has 32 bytes");
  const info = contextBytes(CHECKPOINT, clusterId, keyIdBytes(keyId));
  return await deriveAesKey(dek, { salt, info });
}

/**
 * Seals a chunk to its place in its stream: ciphertext ‖ tag.
 *
 *     nonce = number u64 ‖ 00 00 00 ‖ last u8 ; AAD = header hash
 */
export async function sealChunk(
  key: CryptoKey,
  place: ChunkPlace,
  plaintext: Bytes,
): Promise<Bytes> {
  return await sealGcm(key, gcmPlace(place), plaintext);
}

/** @throws {EnvelopeRejectedError} Another key or place, or a changed byte. */
export async function openChunk(
  key: CryptoKey,
  place: ChunkPlace,
  sealed: Bytes,
): Promise<Bytes> {
  if (sealed.length < CHUNK_OVERHEAD_BYTES) {
    throw new EnvelopeRejectedError(WHAT, "length", `${sealed.length} bytes`);
  }
  const plaintext = await openGcm(key, gcmPlace(place), sealed);
  if (plaintext !== null) return plaintext;
  const found = `another one; chunk ${place.number}`;
  throw new EnvelopeRejectedError(WHAT, "tag", found);
}

function gcmPlace({ number, isLast, headerHash }: ChunkPlace) {
  assert(headerHash.length === HEADER_HASH_BYTES, "a hash has 32 bytes");
  const nonce = new Uint8Array(GCM_NONCE_BYTES);
  setUint64(viewOf(nonce), 0, number);
  nonce[GCM_NONCE_BYTES - 1] = isLast ? 1 : 0;
  return { nonce, aad: headerHash };
}
