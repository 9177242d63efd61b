import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";

export const AES_KEY_BYTES = 32;
export const GCM_NONCE_BYTES = 12;
export const GCM_TAG_BYTES = 16;

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

/** Returns ciphertext ‖ tag. Source: NIST SP 800-38D, 128-bit tags. */
export async function sealGcm(
  key: CryptoKey,
  place: GcmPlace,
  plaintext: Bytes,
): Promise<Bytes> {
  const sealed = await crypto.subtle.encrypt(params(place), key, plaintext);
  return new Uint8Array(sealed);
}

/** Opens ciphertext ‖ tag; `null` when a byte, the key or the place differs. */
export async function openGcm(
  key: CryptoKey,
  place: GcmPlace,
  sealed: Bytes,
): Promise<Bytes | null> {
  if (sealed.length < GCM_TAG_BYTES) return null;
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(params(place), key, sealed),
    );
  } catch (cause) {
    const isMismatch = cause instanceof DOMException &&
      cause.name === "OperationError";
    if (isMismatch) return null;
    throw cause;
  }
}

function params({ nonce, aad }: GcmPlace): AesGcmParams {
  assert(nonce.length === GCM_NONCE_BYTES, "a nonce has 12 bytes");
  return { name: "AES-GCM", iv: nonce, additionalData: aad, tagLength: 128 };
}
