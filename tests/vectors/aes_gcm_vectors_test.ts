/*
 * AES-256-GCM as the world knows it, through the two functions that every
 * envelope, wrap and chunk goes through.
 */
import assert from "node:assert/strict";
import { toHex } from "../../src/base/bytes.ts";
import {
  importAesKey,
  importFrequentAesKey,
  openGcm,
  sealGcm,
} from "../../src/crypto/aes_gcm.ts";
import { bytesOf, readVectors } from "./vector_file.ts";

interface GcmCase {
  readonly name: string;
  readonly key: string;
  readonly nonce: string;
  readonly aad: string;
  /** `null`: must not open. */
  readonly plaintext: string | null;
  readonly sealed: string;
}

for (const file of ["aes_256_gcm_nist", "aes_256_gcm_wycheproof"]) {
  for (const vector of await readVectors<GcmCase>(file)) {
    Deno.test(`${file}: ${vector.name}`, async () => {
      await assertAgrees(vector, importAesKey);
      await assertAgrees(vector, importFrequentAesKey);
    });
  }
}

async function assertAgrees(
  vector: GcmCase,
  importKey: typeof importAesKey,
): Promise<void> {
  const key = await importKey(bytesOf(vector.key));
  const place = { nonce: bytesOf(vector.nonce), aad: bytesOf(vector.aad) };
  const opened = await openGcm(key, place, bytesOf(vector.sealed));
  assert.equal(opened && toHex(opened), vector.plaintext);
  if (vector.plaintext === null) return;
  const sealed = await sealGcm(key, place, bytesOf(vector.plaintext));
  assert.equal(toHex(sealed), vector.sealed);
}
