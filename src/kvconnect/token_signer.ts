import type { Bytes } from "../base/bytes.ts";

/**
 * What the data plane needs of cryptography. It holds the access token, which
 * never leaves it.
 */
export interface TokenSigner {
  /** Compares in constant time, whatever the lengths. */
  isAccessToken(given: string): Promise<boolean>;
  /** HMAC-SHA-256 of `message` under HKDF(access token, salt = cluster id). */
  sign(clusterId: Bytes, message: Bytes): Promise<Bytes>;
  /** Whether `mac` is what `sign` makes; constant-time. */
  verify(clusterId: Bytes, message: Bytes, mac: Bytes): Promise<boolean>;
  sha256(bytes: Bytes): Promise<Bytes>;
}
