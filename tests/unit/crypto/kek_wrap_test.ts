import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { concatBytes, toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  challengeAad,
  dekWrapAad,
  importKek,
  kekIdOf,
  unwrapSecret,
  WRAP_BYTES,
  wrapSecret,
} from "../../../src/crypto/kek_wrap.ts";
import { counting, gcm, hkdf } from "./second_opinion.ts";

const RAW = counting(32);
const NONCE = counting(12, 0x70);
const SECRET = counting(32, 0xc0);
const NAME = {
  clusterId: counting(16, 0x40),
  keyId: 0x12345678,
  purpose: "storage",
} as const;

Deno.test("wrapSecret() writes nonce, ciphertext and tag", async () => {
  const aad = dekWrapAad(NAME);
  const wrapped = await wrapSecret(await importKek(RAW), NONCE, SECRET, aad);
  assert.equal(wrapped.length, WRAP_BYTES);
  assert.equal(WRAP_BYTES, 60);
  const expected = concatBytes(NONCE, gcm(RAW, { nonce: NONCE, aad }, SECRET));
  assert.equal(toHex(wrapped), toHex(expected));
});

Deno.test("wrapSecret() asserts on a secret of another length", async () => {
  const kek = await importKek(RAW);
  const secret = counting(31);
  await assert.rejects(
    wrapSecret(kek, NONCE, secret, dekWrapAad(NAME)),
    InvariantError,
  );
});

Deno.test("unwrapSecret() opens under the same KEK and context only", async () => {
  const kek = await importKek(RAW);
  const aad = dekWrapAad(NAME);
  const wrapped = await wrapSecret(kek, NONCE, SECRET, aad);
  assert.deepEqual(await unwrapSecret(kek, wrapped, aad), SECRET);

  const otherKek = await importKek(counting(32, 1));
  assert.equal(await unwrapSecret(otherKek, wrapped, aad), null);
  for (
    const other of [
      { ...NAME, clusterId: counting(16) },
      { ...NAME, keyId: 1 },
      { ...NAME, purpose: "raft" as const },
    ]
  ) {
    assert.equal(await unwrapSecret(kek, wrapped, dekWrapAad(other)), null);
  }
});

Deno.test("unwrapSecret() refuses any changed byte and any other length", async () => {
  const kek = await importKek(RAW);
  const aad = dekWrapAad(NAME);
  const wrapped = await wrapSecret(kek, NONCE, SECRET, aad);
  for (let at = 0; at < wrapped.length; at += 1) {
    const changed = wrapped.slice();
    changed[at]! ^= 1;
    assert.equal(await unwrapSecret(kek, changed, aad), null);
    assert.equal(await unwrapSecret(kek, wrapped.slice(0, at), aad), null);
  }
  const longer = concatBytes(wrapped, counting(1));
  assert.equal(await unwrapSecret(kek, longer, aad), null);
});

Deno.test("importKek() gives a key that cannot be exported", async () => {
  assert.equal((await importKek(RAW)).extractable, false);
  await assert.rejects(importKek(counting(33)), InvariantError);
});

Deno.test("kekIdOf() is 16 hex digits of the derivation", async () => {
  const derived = hkdf(RAW, new Uint8Array(0), utf8("sealkv kek id v1"));
  assert.equal(await kekIdOf(RAW), toHex(derived).slice(0, 16));
});

Deno.test("dekWrapAad() and challengeAad() join label and fields", () => {
  assert.equal(
    toHex(dekWrapAad({ ...NAME, purpose: "state" })),
    toHex(utf8("sealkv wrap v1")) + toHex(NAME.clusterId) + "1234567803",
  );
  const { clusterId } = NAME;
  assert.equal(
    toHex(challengeAad({ clusterId, term: 258, target: 0x08b37b07b558d4c0n })),
    toHex(utf8("sealkv challenge v1")) + toHex(clusterId) +
      "0000000000000102" + "08b37b07b558d4c0",
  );
});
