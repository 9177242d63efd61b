import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { sealGcm } from "../../../src/crypto/aes_gcm.ts";
import {
  deriveAesKey,
  deriveBytes,
  deriveSigningKey,
  importHkdfKey,
} from "../../../src/crypto/hkdf.ts";
import { signHmac } from "../../../src/crypto/hmac.ts";
import { counting, gcm, hkdf, hmac } from "./second_opinion.ts";

const RAW = counting(32);
const INFO = utf8("info");
const PLACE = { nonce: counting(12), aad: utf8("place") };
const NONE = new Uint8Array(0);

for (const salt of [NONE, counting(16), counting(80)]) {
  Deno.test(`deriveBytes(), deriveAesKey() and deriveSigningKey() agree: salt of ${salt.length}`, async () => {
    const base = await importHkdfKey(RAW);
    const raw = hkdf(RAW, salt, INFO);
    assert.deepEqual(await deriveBytes(base, { salt, info: INFO }), raw);

    const aesKey = await deriveAesKey(base, { salt, info: INFO });
    assert.equal(
      toHex(await sealGcm(aesKey, PLACE, utf8("text"))),
      toHex(gcm(raw, PLACE, utf8("text"))),
    );
    const macKey = await deriveSigningKey(base, { salt, info: INFO });
    assert.equal(
      toHex(await signHmac(macKey, utf8("text"))),
      toHex(hmac(raw, utf8("text"))),
    );
    assert.deepEqual(
      [base, aesKey, macKey].map((key) => key.extractable),
      [false, false, false],
    );
  });
}

Deno.test("deriveBytes() takes no salt as an empty one", async () => {
  const base = await importHkdfKey(RAW);
  assert.deepEqual(
    await deriveBytes(base, { info: INFO }),
    hkdf(RAW, NONE, INFO),
  );
});

Deno.test("deriveBytes() asserts on a salt that Deno dies of", async () => {
  const base = await importHkdfKey(RAW);
  await assert.rejects(
    deriveBytes(base, { salt: counting(81), info: INFO }),
    InvariantError,
  );
});
