import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { importAesKey, openGcm, sealGcm } from "../../../src/crypto/aes_gcm.ts";
import { counting, gcm } from "./second_opinion.ts";

const RAW = counting(32);
const PLACE = { nonce: counting(12), aad: utf8("place") };

for (const length of [0, 1, 15, 16, 17, 65_536]) {
  Deno.test(`sealGcm() gives ciphertext and tag, openGcm() the text: ${length} bytes`, async () => {
    const key = await importAesKey(RAW);
    const text = counting(length);
    const sealed = await sealGcm(key, PLACE, text);
    assert.equal(toHex(sealed), toHex(gcm(RAW, PLACE, text)));
    assert.deepEqual(await openGcm(key, PLACE, sealed), text);
  });
}

Deno.test("openGcm() gives null for any other length, nonce, AAD or key", async () => {
  const key = await importAesKey(RAW);
  const sealed = await sealGcm(key, PLACE, counting(20));
  for (let length = 0; length < sealed.length; length += 1) {
    assert.equal(await openGcm(key, PLACE, sealed.slice(0, length)), null);
  }
  const nonce = { ...PLACE, nonce: counting(12, 1) };
  assert.equal(await openGcm(key, nonce, sealed), null);
  const aad = { ...PLACE, aad: utf8("plac") };
  assert.equal(await openGcm(key, aad, sealed), null);
  const other = await importAesKey(counting(32, 1));
  assert.equal(await openGcm(other, PLACE, sealed), null);
});

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

Deno.test("importAesKey() takes 32 bytes and gives none back", async () => {
  const key = await importAesKey(RAW);
  assert.equal(key.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("raw", key));
  await assert.rejects(importAesKey(counting(16)), InvariantError);
});

Deno.test("sealGcm() asserts on a nonce of another length", async () => {
  const key = await importAesKey(RAW);
  const place = { ...PLACE, nonce: counting(16) };
  await assert.rejects(sealGcm(key, place, counting(1)), InvariantError);
});
