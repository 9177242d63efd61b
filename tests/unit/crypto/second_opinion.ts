/* The same arithmetic by another implementation, to compare ours with. */
import { createCipheriv, createHmac, hkdfSync } from "node:crypto";
import { type Bytes, concatBytes } from "../../../src/base/bytes.ts";

export function hkdf(ikm: Bytes, salt: Bytes, info: Bytes): Bytes {
  return new Uint8Array(hkdfSync("sha256", ikm, salt, info, 32));
}

export function hmac(key: Bytes, message: Bytes): Bytes {
  return new Uint8Array(createHmac("sha256", key).update(message).digest());
}

/** ciphertext ‖ tag */
export function gcm(
  key: Bytes,
  { nonce, aad }: { readonly nonce: Bytes; readonly aad: Bytes },
  plaintext: Bytes,
): Bytes {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  return concatBytes(body, cipher.getAuthTag());
}

/** `length` bytes from `first` on, counting up. */
export function counting(length: number, first = 0): Bytes {
  return Uint8Array.from({ length }, (_, i) => first + i);
}
