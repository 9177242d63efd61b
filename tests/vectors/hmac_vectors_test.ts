/* HMAC-SHA-256 as the world knows it; `mac` may be cut short there. */
import assert from "node:assert/strict";
import { toHex } from "../../src/base/bytes.ts";
import { signHmac, verifyHmac } from "../../src/crypto/hmac.ts";
import { bytesOf, readVectors } from "./vector_file.ts";

interface HmacCase {
  readonly name: string;
  readonly key: string;
  readonly message: string;
  readonly mac: string;
  readonly isValid: boolean;
}

const HMAC_SHA256 = { name: "HMAC", hash: "SHA-256" } as const;
const MAC_HEX_DIGITS = 64;

for (const file of ["hmac_sha_256_rfc4231", "hmac_sha_256_wycheproof"]) {
  for (const vector of await readVectors<HmacCase>(file)) {
    Deno.test(`${file}: ${vector.name}`, async () => {
      const key = await crypto.subtle.importKey(
        "raw",
        bytesOf(vector.key),
        HMAC_SHA256,
        false,
        ["sign", "verify"],
      );
      const message = bytesOf(vector.message);
      const mac = toHex(await signHmac(key, message));
      assert.equal(mac.startsWith(vector.mac), vector.isValid);
      const isWhole = vector.mac.length === MAC_HEX_DIGITS;
      assert.equal(
        await verifyHmac(key, message, bytesOf(vector.mac)),
        vector.isValid && isWhole,
      );
    });
  }
}
