import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  deriveHmacKey,
  signHmac,
  verifyHmac,
} from "../../../src/crypto/hmac.ts";

const SECRET = utf8("a secret of some length");
const SALT = utf8("salt");

Deno.test("signHmac() under deriveHmacKey() is HKDF and HMAC of SHA-256", async () => {
  const key = await deriveHmacKey(SECRET, { salt: SALT, info: "purpose" });
  const derived = hkdfSync("sha256", SECRET, SALT, "purpose", 32);
  const expected = createHmac("sha256", new Uint8Array(derived))
    .update("message").digest("hex");
  assert.equal(toHex(await signHmac(key, utf8("message"))), expected);
});

Deno.test("deriveHmacKey() differs by secret, salt and info", async () => {
  const macs = new Set<string>();
  for (
    const [secret, salt, info] of [
      ["s", "t", "i"],
      ["S", "t", "i"],
      ["s", "T", "i"],
      ["s", "t", "I"],
    ] as const
  ) {
    const key = await deriveHmacKey(utf8(secret), { salt: utf8(salt), info });
    assert.equal(key.extractable, false);
    macs.add(toHex(await signHmac(key, utf8("m"))));
  }
  assert.equal(macs.size, 4);
});

Deno.test("verifyHmac() takes its own MAC and no other", async () => {
  const key = await deriveHmacKey(SECRET, { salt: SALT, info: "purpose" });
  const mac = await signHmac(key, utf8("message"));
  assert.equal(await verifyHmac(key, utf8("message"), mac), true);
  assert.equal(await verifyHmac(key, utf8("massage"), mac), false);
  const cut = mac.subarray(0, 31);
  assert.equal(await verifyHmac(key, utf8("message"), cut), false);
  mac[31] = mac[31]! ^ 1;
  assert.equal(await verifyHmac(key, utf8("message"), mac), false);
});
