import { assert } from "../base/assert.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { deriveSigningKey, importHkdfKey } from "./hkdf.ts";
import { signHmac, verifyHmac } from "./hmac.ts";

export const CHALLENGE_BYTES = 32;

const PROOF = utf8("sealkv proof v1");

/** Proves that who made `statement` has opened `challenge`: 32 bytes. */
export async function proofOf(
  challenge: Bytes,
  statement: Bytes,
): Promise<Bytes> {
  return await signHmac(await proofKey(challenge), statement);
}

/** Whether `proof` is of this challenge and statement; in constant time. */
export async function verifyProof(
  challenge: Bytes,
  statement: Bytes,
  proof: Bytes,
): Promise<boolean> {
  return await verifyHmac(await proofKey(challenge), statement, proof);
}

async function proofKey(challenge: Bytes): Promise<CryptoKey> {
  assert(challenge.length === CHALLENGE_BYTES, "a challenge has 32 bytes");
  return await deriveSigningKey(await importHkdfKey(challenge), {
    info: PROOF,
  });
}
