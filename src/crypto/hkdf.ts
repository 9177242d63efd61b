import { assert } from "../base/assert.ts";
import { type Bytes, EMPTY_BYTES } from "../base/bytes.ts";

/** What sets a derived key apart; `salt` is empty unless given. */
export interface Derivation {
  readonly salt?: Bytes;
  readonly info: Bytes;
}

const DERIVED_BITS = 256;
/** A longer one ends the process under Deno 2.5. */
const SALT_BYTES_MAX = 80;

/** Takes raw bytes as an HKDF base key that cannot be exported. */
export async function importHkdfKey(raw: Bytes): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", raw, "HKDF", false, [
    "deriveKey",
    "deriveBits",
  ]);
}

/** HKDF-SHA-256: 32 bytes. Source: RFC 5869. */
export async function deriveBytes(
  base: CryptoKey,
  derivation: Derivation,
): Promise<Bytes> {
  return new Uint8Array(
    await crypto.subtle.deriveBits(params(derivation), base, DERIVED_BITS),
  );
}

/** The same bytes as an AES-256-GCM key that cannot be exported. */
export async function deriveAesKey(
  base: CryptoKey,
  derivation: Derivation,
): Promise<CryptoKey> {
  return await crypto.subtle.deriveKey(
    params(derivation),
    base,
    { name: "AES-GCM", length: DERIVED_BITS },
    false,
    ["encrypt", "decrypt"],
  );
}

/** The same bytes as an HMAC-SHA-256 key that cannot be exported. */
export async function deriveSigningKey(
  base: CryptoKey,
  derivation: Derivation,
): Promise<CryptoKey> {
  return await crypto.subtle.deriveKey(
    params(derivation),
    base,
    { name: "HMAC", hash: "SHA-256", length: DERIVED_BITS },
    false,
    ["sign", "verify"],
  );
}

function params({ salt = EMPTY_BYTES, info }: Derivation): HkdfParams {
  assert(salt.length <= SALT_BYTES_MAX, "a salt has at most 80 bytes");
  return { name: "HKDF", hash: "SHA-256", salt, info };
}
