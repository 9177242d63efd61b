import { type Bytes, utf8 } from "../base/bytes.ts";

const HMAC_SHA256 = { name: "HMAC", hash: "SHA-256" } as const;
const HKDF_KEY_BITS = 256;

/**
 * Derives an HMAC-SHA-256 key from `secret` by HKDF-SHA-256.
 *
 * `salt` sets apart deployments, `info` purposes, that share one secret. The
 * key cannot be exported.
 *
 * Source: RFC 5869.
 */
export async function deriveHmacKey(
  secret: Bytes,
  options: { readonly salt: Bytes; readonly info: string },
): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, [
    "deriveKey",
  ]);
  return await crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: options.salt,
      info: utf8(options.info),
    },
    material,
    { ...HMAC_SHA256, length: HKDF_KEY_BITS },
    false,
    ["sign", "verify"],
  );
}

/** HMAC-SHA-256 of `message`: 32 bytes. Source: RFC 2104. */
export async function signHmac(
  key: CryptoKey,
  message: Bytes,
): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}

/** Whether `mac` is the HMAC of `message`; compares in constant time. */
export async function verifyHmac(
  key: CryptoKey,
  message: Bytes,
  mac: Bytes,
): Promise<boolean> {
  return await crypto.subtle.verify("HMAC", key, mac, message);
}
