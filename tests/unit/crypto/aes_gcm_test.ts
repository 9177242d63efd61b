import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  importAesKey,
  importFrequentAesKey,
  openGcm,
  sealGcm,
} from "../../../src/crypto/aes_gcm.ts";
import { counting, gcm } from "./second_opinion.ts";

const RAW = counting(32);
const PLACE = { nonce: counting(12), aad: utf8("place") };

const IMPORTS = { importAesKey, importFrequentAesKey };

for (const [name, importKey] of Object.entries(IMPORTS)) {
  for (const length of [0, 1, 15, 16, 17, 1_024, 1_025, 65_536]) {
    Deno.test(`sealGcm() gives ciphertext and tag, openGcm() the text: ${name}(), ${length} bytes`, async () => {
      const key = await importKey(RAW);
      const text = counting(length);
      const sealed = await sealGcm(key, PLACE, text);
      assert.equal(toHex(sealed), toHex(gcm(RAW, PLACE, text)));
      assert.deepEqual(await openGcm(key, PLACE, sealed), text);
    });
  }

  Deno.test(`openGcm() gives null for any other length, nonce, AAD, byte or key: ${name}()`, async () => {
    const key = await importKey(RAW);
    const sealed = await sealGcm(key, PLACE, counting(20));
    for (let length = 0; length < sealed.length; length += 1) {
      assert.equal(await openGcm(key, PLACE, sealed.slice(0, length)), null);
    }
    const nonce = { ...PLACE, nonce: counting(12, 1) };
    assert.equal(await openGcm(key, nonce, sealed), null);
    const aad = { ...PLACE, aad: utf8("plac") };
    assert.equal(await openGcm(key, aad, sealed), null);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(await openGcm(key, PLACE, changed), null);
    }
    const other = await importKey(counting(32, 1));
    assert.equal(await openGcm(other, PLACE, sealed), null);
  });

  Deno.test(`sealGcm() asserts on a nonce of another length: ${name}()`, async () => {
    const key = await importKey(RAW);
    const place = { ...PLACE, nonce: counting(16) };
    await assert.rejects(sealGcm(key, place, counting(1)), InvariantError);
  });

  Deno.test(`${name}() takes 32 bytes and gives none back`, async () => {
    const key = await importKey(RAW);
    assert.equal(key.extractable, false);
    await assert.rejects(crypto.subtle.exportKey("raw", key));
    await assert.rejects(importKey(counting(16)), InvariantError);
  });
}

Deno.test("openGcm() does not pass a wrong use off as a wrong tag", async () => {
  const sealingOnly = await crypto.subtle.importKey(
    "raw",
    RAW,
    "AES-GCM",
    false,
    ["encrypt"],
  );
  const sealed = await sealGcm(sealingOnly, PLACE, counting(20));
  await assert.rejects(
    openGcm(sealingOnly, PLACE, sealed),
    (error) =>
      error instanceof DOMException && error.name === "InvalidAccessError",
  );
});
