/*
 * HKDF-SHA-256 as the world knows it. Ours gives 32 bytes; the outputs of
 * HKDF for other lengths begin with the same ones.
 */
import assert from "node:assert/strict";
import { toHex } from "../../src/base/bytes.ts";
import { signHmac } from "../../src/crypto/hmac.ts";
import { sealGcm } from "../../src/crypto/aes_gcm.ts";
import {
  deriveAesKey,
  deriveBytes,
  deriveSigningKey,
  importHkdfKey,
} from "../../src/crypto/hkdf.ts";
import { counting, gcm, hmac } from "../unit/crypto/second_opinion.ts";
import { bytesOf, readVectors } from "./vector_file.ts";

interface HkdfCase {
  readonly name: string;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly okm: string;
}

const PLACE = { nonce: counting(12), aad: counting(5) };
const TEXT = counting(20);

for (const file of ["hkdf_sha_256_rfc5869", "hkdf_sha_256_wycheproof"]) {
  for (const vector of await readVectors<HkdfCase>(file)) {
    Deno.test(`${file}: ${vector.name}`, async () => {
      const base = await importHkdfKey(bytesOf(vector.ikm));
      const derivation = {
        salt: bytesOf(vector.salt),
        info: bytesOf(vector.info),
      };
      const derived = await deriveBytes(base, derivation);
      const shared = Math.min(64, vector.okm.length);
      assert.equal(
        toHex(derived).slice(0, shared),
        vector.okm.slice(0, shared),
      );
      if (vector.okm.length < 64) return;

      const raw = bytesOf(vector.okm.slice(0, 64));
      const aesKey = await deriveAesKey(base, derivation);
      assert.equal(
        toHex(await sealGcm(aesKey, PLACE, TEXT)),
        toHex(gcm(raw, PLACE, TEXT)),
      );
      const macKey = await deriveSigningKey(base, derivation);
      assert.equal(
        toHex(await signHmac(macKey, TEXT)),
        toHex(hmac(raw, TEXT)),
      );
    });
  }
}
