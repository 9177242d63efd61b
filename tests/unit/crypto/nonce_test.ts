import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { InvariantError } from "../../../src/base/assert.ts";
import { NoncesExhaustedError } from "../../../src/crypto/errors.ts";
import {
  decodeNonce,
  encodeNonce,
  type Nonce,
  NONCES_DUE,
  NONCES_MAX,
  NonceSequence,
} from "../../../src/crypto/nonce.ts";

const CASES: readonly (readonly [Nonce, string])[] = [
  [{ node16: 0, epoch: 1, count: 1 }, "000000010000000000000001"],
  [{ node16: 0xd4c0, epoch: 7, count: 258 }, "d4c000070000000000000102"],
  [
    { node16: 0xffff, epoch: 0xffff, count: NONCES_MAX },
    "ffffffff0000000100000000",
  ],
];

for (const [nonce, hex] of CASES) {
  Deno.test(`encodeNonce() writes ${hex}, decodeNonce() reads it`, () => {
    assert.equal(toHex(encodeNonce(nonce)), hex);
    assert.deepEqual(decodeNonce(fromHex(hex)!), nonce);
  });
}

const NO_NONCES: readonly (readonly [string, string])[] = [
  ["a short one", "d4c0000700000000000001"],
  ["a long one", "d4c00007000000000000010200"],
  ["epoch 0", "d4c000000000000000000001"],
  ["count 0", "d4c000070000000000000000"],
  ["a count above the last", "d4c000070000000100000001"],
  ["a count above 2^53", "d4c00007ffffffffffffffff"],
];

for (const [name, hex] of NO_NONCES) {
  Deno.test(`decodeNonce() refuses ${name}`, () => {
    assert.equal(decodeNonce(fromHex(hex)!), null);
  });
}

const NO_FIELDS: readonly Nonce[] = [
  { node16: -1, epoch: 1, count: 1 },
  { node16: 0x10000, epoch: 1, count: 1 },
  { node16: 1, epoch: 0, count: 1 },
  { node16: 1, epoch: 0x10000, count: 1 },
  { node16: 1, epoch: 1.5, count: 1 },
  { node16: 1, epoch: 1, count: 0 },
  { node16: 1, epoch: 1, count: NONCES_MAX + 1 },
];

for (const nonce of NO_FIELDS) {
  Deno.test(`encodeNonce() asserts on ${JSON.stringify(nonce)}`, () => {
    assert.throws(() => encodeNonce(nonce), InvariantError);
  });
}

Deno.test("NonceSequence issues counts from 1, each once", () => {
  const nonces = new NonceSequence(0xd4c0, 7);
  assert.equal(nonces.count, 0);
  const issued = Array.from({ length: 300 }, () => decodeNonce(nonces.next()));
  assert.deepEqual(
    issued.map((nonce) => nonce?.count),
    Array.from({ length: 300 }, (_, i) => i + 1),
  );
  assert.ok(issued.every((n) => n?.node16 === 0xd4c0 && n.epoch === 7));
  assert.equal(nonces.count, 300);
  assert.equal(nonces.isDue, false);
});

Deno.test("NonceSequence is due at 2^31", () => {
  const nonces = new NonceSequence(1, 1, NONCES_DUE - 1);
  assert.equal(nonces.isDue, false);
  nonces.next();
  assert.equal(nonces.isDue, true);
});

Deno.test("NonceSequence stops after 2^32, for good", () => {
  const nonces = new NonceSequence(1, 9, NONCES_MAX - 1);
  assert.equal(toHex(nonces.next()), "000100090000000100000000");
  for (let i = 0; i < 2; i += 1) {
    assert.throws(() => nonces.next(), (error) => {
      assert.ok(error instanceof NoncesExhaustedError);
      assert.equal(error.code, "CRYPTO_NONCES_EXHAUSTED");
      assert.equal(error.epoch, 9);
      return true;
    });
  }
  assert.equal(nonces.count, NONCES_MAX);
});

Deno.test("NonceSequence asserts on a node16 or an epoch that is none", () => {
  assert.throws(() => new NonceSequence(0x10000, 1), InvariantError);
  assert.throws(() => new NonceSequence(1, 0), InvariantError);
  assert.throws(() => new NonceSequence(1, 1, -1), InvariantError);
});
