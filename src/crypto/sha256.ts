import type { Bytes } from "../base/bytes.ts";

/** SHA-256 of `bytes`: 32 bytes. Source: FIPS 180-4. */
export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
