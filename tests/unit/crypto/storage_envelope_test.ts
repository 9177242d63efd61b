import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import {
  type Bytes,
  concatBytes,
  toHex,
  utf8,
} from "../../../src/base/bytes.ts";
import { importAesKey } from "../../../src/crypto/aes_gcm.ts";
import {
  EnvelopeRejectedError,
  NoncesExhaustedError,
} from "../../../src/crypto/errors.ts";
import { NONCES_MAX, NonceSequence } from "../../../src/crypto/nonce.ts";
import {
  openStorageEnvelope,
  peekStorageEnvelope,
  sealStorageEnvelope,
  STORAGE_ENVELOPE_OVERHEAD_BYTES,
} from "../../../src/crypto/storage_envelope.ts";
import { RECORD_HEADER_BYTES } from "../../../src/store/sealer.ts";
import { counting, gcm } from "./second_opinion.ts";

const RAW = counting(32);
const KEY_ID = 0x12345678;
const CLUSTER = counting(16, 0x40);
const HEADER = counting(RECORD_HEADER_BYTES, 0x80);
const STORE_KEY = utf8("\x02name\0");

async function session(last = 0) {
  return {
    key: await importAesKey(RAW),
    keyId: KEY_ID,
    nonces: new NonceSequence(0xd4c0, 7, last),
    clusterId: CLUSTER,
  };
}

async function sealed(plaintext: Bytes): Promise<Bytes> {
  return await sealStorageEnvelope(
    await session(),
    HEADER,
    STORE_KEY,
    plaintext,
  );
}

for (const length of [0, 1, 15, 16, 17, 4_096, 65_536]) {
  Deno.test(`openStorageEnvelope() opens what was sealed: ${length} bytes`, async () => {
    const plaintext = counting(length);
    const envelope = await sealed(plaintext);
    assert.equal(envelope.length, length + STORAGE_ENVELOPE_OVERHEAD_BYTES);
    assert.deepEqual(
      await openStorageEnvelope(await session(), HEADER, STORE_KEY, envelope),
      plaintext,
    );
  });
}

Deno.test("sealStorageEnvelope() writes the layout of the formats page", async () => {
  const plaintext = utf8("hello");
  const nonce = Uint8Array.of(0xd4, 0xc0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1);
  const prefix = Uint8Array.of(1, 0, 0x12, 0x34, 0x56, 0x78);
  const aad = concatBytes(prefix, CLUSTER, HEADER, STORE_KEY);
  const expected = concatBytes(
    prefix,
    nonce,
    gcm(RAW, { nonce, aad }, plaintext),
  );
  assert.equal(toHex(await sealed(plaintext)), toHex(expected));
});

Deno.test("sealStorageEnvelope() takes its nonce before it returns", async () => {
  const used = await session();
  const first = sealStorageEnvelope(used, HEADER, STORE_KEY, counting(3));
  assert.equal(used.nonces.count, 1);
  const second = sealStorageEnvelope(used, HEADER, STORE_KEY, counting(3));
  assert.equal(used.nonces.count, 2);
  assert.equal(peekStorageEnvelope(await second)?.nonce.count, 2);
  assert.equal(peekStorageEnvelope(await first)?.nonce.count, 1);
});

Deno.test("sealStorageEnvelope() rejects when the session is used up", async () => {
  const used = await session(NONCES_MAX);
  await assert.rejects(
    sealStorageEnvelope(used, HEADER, STORE_KEY, counting(3)),
    NoncesExhaustedError,
  );
});

Deno.test("sealStorageEnvelope() asserts on a header of another length", async () => {
  await assert.rejects(
    sealStorageEnvelope(
      await session(),
      counting(20),
      STORE_KEY,
      counting(3),
    ),
    InvariantError,
  );
});

Deno.test("peekStorageEnvelope() tells key id and nonce", async () => {
  assert.deepEqual(peekStorageEnvelope(await sealed(utf8("x"))), {
    keyId: KEY_ID,
    nonce: { node16: 0xd4c0, epoch: 7, count: 1 },
  });
});

interface Change {
  readonly envelope?: (bytes: Bytes) => Bytes;
  readonly header?: Bytes;
  readonly storeKey?: Bytes;
  readonly clusterId?: Bytes;
  readonly raw?: Bytes;
}

function put(at: number, ...values: number[]) {
  return (bytes: Bytes): Bytes => {
    const changed = bytes.slice();
    changed.set(values, at);
    return changed;
  };
}

const REFUSED: readonly (readonly [string, Change, string])[] = [
  ["no bytes", { envelope: () => new Uint8Array(0) }, "length"],
  ["33 bytes", { envelope: (bytes) => bytes.slice(0, 33) }, "length"],
  ["version 0", { envelope: put(0, 0) }, "version"],
  ["version 2", { envelope: put(0, 2) }, "version"],
  ["flag 1", { envelope: put(1, 1) }, "flag"],
  ["key id 0", { envelope: put(2, 0, 0, 0, 0) }, "key-id"],
  ["epoch 0", { envelope: put(8, 0, 0) }, "nonce"],
  ["a count too high", { envelope: put(10, 1) }, "nonce"],
  ["another key id", { envelope: put(2, 9) }, "tag"],
  ["another node", { envelope: put(6, 9) }, "tag"],
  ["another count", { envelope: put(17, 9) }, "tag"],
  ["a changed byte", { envelope: put(18, 0) }, "tag"],
  ["a byte less", { envelope: (bytes) => bytes.slice(0, -1) }, "tag"],
  ["a byte more", { envelope: (b) => concatBytes(b, counting(1)) }, "tag"],
  ["another header", { header: counting(21, 0x81) }, "tag"],
  ["another store key", { storeKey: utf8("\x02nome\0") }, "tag"],
  ["a shorter store key", { storeKey: utf8("\x02name") }, "tag"],
  ["another cluster", { clusterId: counting(16) }, "tag"],
  ["another session key", { raw: counting(32, 1) }, "tag"],
];

for (const [name, change, fault] of REFUSED) {
  Deno.test(`openStorageEnvelope() refuses ${name}`, async () => {
    const {
      envelope = (bytes: Bytes) => bytes,
      header = HEADER,
      storeKey = STORE_KEY,
      clusterId = CLUSTER,
      raw = RAW,
    } = change;
    const key = await importAesKey(raw);
    const changed = envelope(await sealed(utf8("hello")));
    await assert.rejects(
      openStorageEnvelope({ key, clusterId }, header, storeKey, changed),
      (error) => {
        assert.ok(error instanceof EnvelopeRejectedError);
        assert.equal(error.code, "CRYPTO_ENVELOPE_REJECTED");
        assert.equal(error.fault, fault);
        return true;
      },
    );
    assert.equal(peekStorageEnvelope(changed) === null, fault !== "tag");
  });
}
