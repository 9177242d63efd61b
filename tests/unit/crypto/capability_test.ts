import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { proofOf, verifyProof } from "../../../src/crypto/capability.ts";
import { counting, hkdf, hmac } from "./second_opinion.ts";

const CHALLENGE = counting(32);
const STATEMENT = utf8("I can");

Deno.test("proofOf() is the HMAC of the formats page", async () => {
  const key = hkdf(CHALLENGE, new Uint8Array(0), utf8("sealkv proof v1"));
  assert.equal(
    toHex(await proofOf(CHALLENGE, STATEMENT)),
    toHex(hmac(key, STATEMENT)),
  );
});

Deno.test("verifyProof() takes the proof of this challenge and statement only", async () => {
  const proof = await proofOf(CHALLENGE, STATEMENT);
  assert.equal(await verifyProof(CHALLENGE, STATEMENT, proof), true);
  const other = counting(32, 1);
  assert.equal(await verifyProof(other, STATEMENT, proof), false);
  assert.equal(await verifyProof(CHALLENGE, utf8("I could"), proof), false);
  const cut = proof.slice(0, 31);
  assert.equal(await verifyProof(CHALLENGE, STATEMENT, cut), false);
  const none = new Uint8Array(0);
  assert.equal(await verifyProof(CHALLENGE, STATEMENT, none), false);
});

Deno.test("proofOf() asserts on a challenge of another length", async () => {
  await assert.rejects(proofOf(counting(31), STATEMENT), InvariantError);
});
