import assert from "node:assert/strict";
import { concatBytes, toHex } from "../../../src/base/bytes.ts";
import {
  type EnvelopeShape,
  PREFIX_BYTES,
  readHeader,
  tagMismatch,
  writePrefix,
} from "../../../src/crypto/envelope_header.ts";
import { EnvelopeRejectedError } from "../../../src/crypto/errors.ts";
import { encodeNonce } from "../../../src/crypto/nonce.ts";

const SHAPE: EnvelopeShape = { what: "test envelope", nonceAt: 8 };
const NONCE = { node16: 0xd4c0, epoch: 7, count: 258 };

function envelope(): Uint8Array {
  const prefix = new Uint8Array(8);
  writePrefix(prefix, 0x12345678);
  return concatBytes(prefix, encodeNonce(NONCE), new Uint8Array(16));
}

Deno.test("writePrefix() writes version, flag and key id", () => {
  const prefix = new Uint8Array(PREFIX_BYTES).fill(9);
  writePrefix(prefix, 0xfffffffe);
  assert.equal(toHex(prefix), "0100fffffffe");
});

Deno.test("readHeader() reads key id and nonce of the shortest envelope", () => {
  assert.deepEqual(readHeader(envelope(), SHAPE), {
    keyId: 0x12345678,
    nonce: NONCE,
  });
});

const FAULTS = [
  ["length", "35 bytes", envelope().slice(0, -1)],
  ["version", "3", envelope().fill(3, 0, 1)],
  ["flag", "128", envelope().fill(128, 1, 2)],
  ["key-id", "0", envelope().fill(0, 2, 6)],
  ["nonce", "out of range", envelope().fill(0, 12, 20)],
] as const;

for (const [fault, found, bytes] of FAULTS) {
  Deno.test(`readHeader() says which rule does not hold: ${fault}`, () => {
    const error = readHeader(bytes, SHAPE);
    assert.ok(error instanceof EnvelopeRejectedError);
    assert.equal(error.fault, fault);
    assert.match(
      error.message,
      new RegExp(
        `^Cannot open a test envelope as .*: current value is ${found}$`,
      ),
    );
  });
}

Deno.test("tagMismatch() names key and nonce, and nothing else", () => {
  const error = tagMismatch(SHAPE, { keyId: 5, nonce: NONCE });
  assert.equal(error.fault, "tag");
  assert.match(error.message, /key id 5, node16 54464, epoch 7, count 258$/);
});
