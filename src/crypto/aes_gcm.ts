import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { openAtOnce, sealAtOnce } from "../io/deno/gcm.ts";

export const AES_KEY_BYTES = 32;
export const GCM_NONCE_BYTES = 12;
export const GCM_TAG_BYTES = 16;

/**
 * Texts up to this are sealed by the calling thread where the key allows it:
 * a hop to another thread and back costs more (docs/adr/0080).
 */
const AT_ONCE_BYTES_MAX = 1_024;

/** Bytes of keys that seal often; nothing else can reach them. */
const bytesOfKeys = new WeakMap<CryptoKey, Bytes>();

/** What one call binds to the text: `nonce` is 12 bytes, once per key. */
export interface GcmPlace {
  readonly nonce: Bytes;
  readonly aad: Bytes;
}

/** Takes 32 raw bytes as an AES-256-GCM key that cannot be exported. */
export async function importAesKey(raw: Bytes): Promise<CryptoKey> {
  assert(raw.length === AES_KEY_BYTES, "an AES-256 key has 32 bytes");
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
}

/**
 * As `importAesKey`, for a key that seals or opens all the time: it keeps `raw`,
 * which must not change, to do that at once.
 */
export async function importFrequentAesKey(raw: Bytes): Promise<CryptoKey> {
  const key = await importAesKey(raw);
  bytesOfKeys.set(key, raw);
  return key;
}

/** Returns ciphertext ‖ tag. Source: NIST SP 800-38D, 128-bit tags. */
export async function sealGcm(
  key: CryptoKey,
  place: GcmPlace,
  plaintext: Bytes,
): Promise<Bytes> {
  const params = paramsOf(place);
  const bytes = bytesFor(key, plaintext.length);
  if (bytes !== null) return sealAtOnce({ ...place, key: bytes }, plaintext);
  const sealed = await crypto.subtle.encrypt(params, key, plaintext);
  return new Uint8Array(sealed);
}

/** Opens ciphertext ‖ tag; `null` when a byte, the key or the place differs. */
export async function openGcm(
  key: CryptoKey,
  place: GcmPlace,
  sealed: Bytes,
): Promise<Bytes | null> {
  if (sealed.length < GCM_TAG_BYTES) return null;
  const params = paramsOf(place);
  const bytes = bytesFor(key, sealed.length - GCM_TAG_BYTES);
  if (bytes !== null) return openAtOnce({ ...place, key: bytes }, sealed);
  try {
    return new Uint8Array(await crypto.subtle.decrypt(params, key, sealed));
  } catch (cause) {
    const isMismatch = cause instanceof DOMException &&
      cause.name === "OperationError";
    if (isMismatch) return null;
    throw cause;
  }
}

/** `null` where WebCrypto is to do it. */
function bytesFor(key: CryptoKey, textBytes: number): Bytes | null {
  return textBytes > AT_ONCE_BYTES_MAX ? null : bytesOfKeys.get(key) ?? null;
}

function paramsOf({ nonce, aad }: GcmPlace): AesGcmParams {
  assert(nonce.length === GCM_NONCE_BYTES, "a nonce has 12 bytes");
  return { name: "AES-GCM", iv: nonce, additionalData: aad, tagLength: 128 };
}
