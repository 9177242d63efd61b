// The default import, so that a simulation can put its own in its place.
import nodeCrypto from "node:crypto";
import type { Bytes } from "../../base/bytes.ts";

/** What one call takes beside the text: `key` has 32 bytes, `nonce` 12. */
export interface GcmInput {
  readonly key: Bytes;
  readonly nonce: Bytes;
  readonly aad: Bytes;
}

const CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;

/** AES-256-GCM on this thread, at once: ciphertext ‖ tag. */
export function sealAtOnce(
  { key, nonce, aad }: GcmInput,
  plaintext: Bytes,
): Bytes {
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  const cipher = nodeCrypto.createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(aad);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

/** Opens ciphertext ‖ tag; `null`, and no byte of it, when the tag differs. */
export function openAtOnce(
  { key, nonce, aad }: GcmInput,
  sealed: Bytes,
): Bytes | null {
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = nodeCrypto.createDecipheriv(CIPHER, key, nonce);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plaintext = decipher.update(sealed.subarray(0, tagAt));
  try {
    decipher.final();
  } catch {
    // Nothing else is left that could be wrong.
    return null;
  }
  return new Uint8Array(plaintext);
}
