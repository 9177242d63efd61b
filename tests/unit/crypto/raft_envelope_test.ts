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
  openRaftEnvelope,
  peekRaftEnvelope,
  RAFT_ENVELOPE_OVERHEAD_BYTES,
  sealRaftEnvelope,
} from "../../../src/crypto/raft_envelope.ts";
import { counting, gcm } from "./second_opinion.ts";

const RAW = counting(32);
const KEY_ID = 0x9abcdef0;
const CLUSTER = counting(16, 0x40);
const SALT = counting(16, 0xa0);

async function session(last = 0) {
  return {
    key: await importAesKey(RAW),
    keyId: KEY_ID,
    nonces: new NonceSequence(0xd4c0, 7, last),
    clusterId: CLUSTER,
    salt: SALT,
  };
}

for (const length of [0, 1, 16, 1_000_000]) {
  Deno.test(`openRaftEnvelope() opens what was sealed: ${length} bytes`, async () => {
    const payload = counting(length);
    const envelope = await sealRaftEnvelope(await session(), payload);
    assert.equal(envelope.length, length + RAFT_ENVELOPE_OVERHEAD_BYTES);
    assert.deepEqual(
      await openRaftEnvelope(await session(), envelope),
      payload,
    );
  });
}

Deno.test("sealRaftEnvelope() writes the layout of the formats page", async () => {
  const payload = utf8("hello");
  const nonce = Uint8Array.of(0xd4, 0xc0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1);
  const prefix = Uint8Array.of(1, 0, 0x9a, 0xbc, 0xde, 0xf0);
  const aad = concatBytes(utf8("R"), prefix, CLUSTER, SALT);
  const body = gcm(RAW, { nonce, aad }, payload);
  const expected = concatBytes(prefix, SALT, nonce, body);
  const envelope = await sealRaftEnvelope(await session(), payload);
  assert.equal(toHex(envelope), toHex(expected));
});

Deno.test("sealRaftEnvelope() takes its nonce before it returns", async () => {
  const used = await session();
  const first = sealRaftEnvelope(used, counting(3));
  assert.equal(used.nonces.count, 1);
  const second = sealRaftEnvelope(used, counting(3));
  assert.equal(used.nonces.count, 2);
  assert.equal(peekRaftEnvelope(await second)?.nonce.count, 2);
  assert.equal(peekRaftEnvelope(await first)?.nonce.count, 1);
});

Deno.test("sealRaftEnvelope() rejects when the session is used up", async () => {
  await assert.rejects(
    sealRaftEnvelope(await session(NONCES_MAX), counting(3)),
    NoncesExhaustedError,
  );
});

Deno.test("sealRaftEnvelope() asserts on a salt of another length", async () => {
  const salt = counting(32);
  await assert.rejects(
    sealRaftEnvelope({ ...await session(), salt }, counting(3)),
    InvariantError,
  );
});

Deno.test("peekRaftEnvelope() tells key id, salt and nonce", async () => {
  const envelope = await sealRaftEnvelope(await session(), utf8("x"));
  assert.deepEqual(peekRaftEnvelope(envelope), {
    keyId: KEY_ID,
    salt: SALT,
    nonce: { node16: 0xd4c0, epoch: 7, count: 1 },
  });
});

function put(at: number, ...values: number[]) {
  return (bytes: Bytes): Bytes => {
    const changed = bytes.slice();
    changed.set(values, at);
    return changed;
  };
}

const REFUSED: readonly (readonly [string, (bytes: Bytes) => Bytes, string])[] =
  [
    ["no bytes", () => new Uint8Array(0), "length"],
    ["49 bytes", (bytes) => bytes.slice(0, 49), "length"],
    ["version 2", put(0, 2), "version"],
    ["flag 1", put(1, 1), "flag"],
    ["key id 0", put(2, 0, 0, 0, 0), "key-id"],
    ["epoch 0", put(24, 0, 0), "nonce"],
    ["count 0", put(33, 0), "nonce"],
    ["another key id", put(2, 9), "tag"],
    ["another salt", put(6, 9), "tag"],
    ["another count", put(33, 9), "tag"],
    ["a changed byte", put(34, 0), "tag"],
    ["a byte less", (bytes) => bytes.slice(0, -1), "tag"],
  ];

for (const [name, change, fault] of REFUSED) {
  Deno.test(`openRaftEnvelope() refuses ${name}`, async () => {
    const envelope = await sealRaftEnvelope(await session(), utf8("hello"));
    const changed = change(envelope);
    await assert.rejects(
      openRaftEnvelope(await session(), changed),
      (error) => {
        assert.ok(error instanceof EnvelopeRejectedError);
        assert.equal(error.fault, fault);
        return true;
      },
    );
    assert.equal(peekRaftEnvelope(changed) === null, fault !== "tag");
  });
}

Deno.test("openRaftEnvelope() refuses another cluster and another key", async () => {
  const envelope = await sealRaftEnvelope(await session(), utf8("hello"));
  const { key } = await session();
  const other = await importAesKey(counting(32, 1));
  for (
    const opener of [
      { key, clusterId: counting(16) },
      { key: other, clusterId: CLUSTER },
    ]
  ) {
    await assert.rejects(
      openRaftEnvelope(opener, envelope),
      EnvelopeRejectedError,
    );
  }
});
