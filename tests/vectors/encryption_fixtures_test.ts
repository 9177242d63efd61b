/*
 * Bytes that were sealed, wrapped, derived or signed once: they open for ever,
 * and sealing the same again gives the same.
 */
import assert from "node:assert/strict";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import type { KeyPurpose } from "../../src/base/data_key.ts";
import { fullNodeId, node16Of } from "../../src/base/identity.ts";
import { proofOf, verifyProof } from "../../src/crypto/capability.ts";
import {
  deriveCheckpointKey,
  openChunk,
  sealChunk,
} from "../../src/crypto/checkpoint_cipher.ts";
import { commitmentOf, importDek } from "../../src/crypto/dek.ts";
import { signHmac } from "../../src/crypto/hmac.ts";
import {
  challengeAad,
  dekWrapAad,
  importKek,
  kekIdOf,
  unwrapSecret,
  wrapSecret,
} from "../../src/crypto/kek_wrap.ts";
import {
  deriveMacKey,
  sidecarMacInfo,
  stateMacInfo,
} from "../../src/crypto/mac.ts";
import { NonceSequence } from "../../src/crypto/nonce.ts";
import {
  openRaftEnvelope,
  peekRaftEnvelope,
  sealRaftEnvelope,
} from "../../src/crypto/raft_envelope.ts";
import { deriveSessionKey } from "../../src/crypto/session.ts";
import {
  openStorageEnvelope,
  peekStorageEnvelope,
  sealStorageEnvelope,
} from "../../src/crypto/storage_envelope.ts";
import { bytesOf } from "./vector_file.ts";

const PATH = "../fixtures/v1/encryption_primitives.json";
const FROZEN = JSON.parse(
  await Deno.readTextFile(new URL(PATH, import.meta.url)),
);
const { keyId, node, node16 } = FROZEN;
const clusterId = bytesOf(FROZEN.clusterId);
const dek = await importDek(bytesOf(FROZEN.dek));
const kek = await importKek(bytesOf(FROZEN.kek));

Deno.test("the frozen node id is the node's", () => {
  assert.equal(
    fullNodeId(node).toString(16).padStart(16, "0"),
    FROZEN.fullNodeId,
  );
  assert.equal(node16Of(fullNodeId(node)), node16);
});

Deno.test("the frozen KEK id is the KEK's", async () => {
  assert.equal(await kekIdOf(bytesOf(FROZEN.kek)), FROZEN.kekId);
});

for (const [purpose, commitment] of Object.entries(FROZEN.commitments)) {
  Deno.test(`the frozen commitment holds: ${purpose}`, async () => {
    const name = { clusterId, keyId, purpose: purpose as KeyPurpose };
    assert.equal(toHex(await commitmentOf(dek, name)), commitment);
  });
}

for (const { purpose, nonce, wrapped } of FROZEN.dekWraps) {
  Deno.test(`the frozen wrap of a data key opens: ${purpose}`, async () => {
    const aad = dekWrapAad({ clusterId, keyId, purpose });
    const secret = await unwrapSecret(kek, bytesOf(wrapped), aad);
    assert.equal(secret && toHex(secret), FROZEN.dek);
    const again = await wrapSecret(kek, bytesOf(nonce), secret!, aad);
    assert.equal(toHex(again), wrapped);
  });
}

Deno.test("the frozen challenge opens, its proof holds", async () => {
  const { term, nonce, challenge, wrapped, statement, proof } =
    FROZEN.challenge;
  const aad = challengeAad({ clusterId, term, target: fullNodeId(node) });
  const secret = await unwrapSecret(kek, bytesOf(wrapped), aad);
  assert.equal(secret && toHex(secret), challenge);
  const again = await wrapSecret(kek, bytesOf(nonce), secret!, aad);
  assert.equal(toHex(again), wrapped);
  assert.equal(toHex(await proofOf(secret!, bytesOf(statement))), proof);
  assert.ok(await verifyProof(secret!, bytesOf(statement), bytesOf(proof)));
});

for (const frozen of FROZEN.storageEnvelopes) {
  const { epoch, count } = frozen;
  Deno.test(`the frozen storage envelope of epoch ${epoch} opens`, async () => {
    const key = await deriveSessionKey(dek, {
      clusterId,
      keyId,
      purpose: "storage",
      node16,
      epoch,
      salt: bytesOf(frozen.salt),
    });
    const header = bytesOf(frozen.header);
    const storeKey = bytesOf(frozen.storeKey);
    const envelope = bytesOf(frozen.envelope);
    assert.deepEqual(peekStorageEnvelope(envelope), {
      keyId,
      nonce: { node16, epoch, count },
    });
    const session = { key, clusterId };
    const plaintext = await openStorageEnvelope(
      session,
      header,
      storeKey,
      envelope,
    );
    assert.equal(toHex(plaintext), frozen.plaintext);
    const nonces = new NonceSequence(node16, epoch, count - 1);
    const again = await sealStorageEnvelope(
      { ...session, keyId, nonces },
      header,
      storeKey,
      plaintext,
    );
    assert.equal(toHex(again), frozen.envelope);
  });
}

for (const frozen of FROZEN.raftEnvelopes) {
  const { epoch, count } = frozen;
  Deno.test(`the frozen raft envelope of epoch ${epoch} opens`, async () => {
    const envelope = bytesOf(frozen.envelope);
    const salt = bytesOf(frozen.salt);
    assert.deepEqual(peekRaftEnvelope(envelope), {
      keyId,
      salt,
      nonce: { node16, epoch, count },
    });
    const key = await deriveSessionKey(dek, {
      clusterId,
      keyId,
      purpose: "raft",
      node16,
      epoch,
      salt,
    });
    const session = { key, clusterId };
    const payload = await openRaftEnvelope(session, envelope);
    assert.equal(toHex(payload), frozen.payload);
    const nonces = new NonceSequence(node16, epoch, count - 1);
    const again = await sealRaftEnvelope(
      { ...session, keyId, nonces, salt },
      payload,
    );
    assert.equal(toHex(again), frozen.envelope);
  });
}

const MACS = [
  ["sidecar", sidecarMacInfo(clusterId, node), FROZEN.sidecarMac],
  ["state", stateMacInfo(clusterId, node), FROZEN.stateMac],
] as const;

for (const [name, info, { message, mac }] of MACS) {
  Deno.test(`the frozen ${name} MAC holds`, async () => {
    const key = await deriveMacKey(dek, info);
    assert.equal(toHex(await signHmac(key, bytesOf(message))), mac);
    assert.notEqual(toHex(await signHmac(key, utf8("another"))), mac);
  });
}

for (const { number, isLast, plaintext, sealed } of FROZEN.checkpoint.chunks) {
  Deno.test(`the frozen checkpoint chunk ${number} opens`, async () => {
    const { salt, headerHash } = FROZEN.checkpoint;
    const stream = { clusterId, keyId, salt: bytesOf(salt) };
    const key = await deriveCheckpointKey(dek, stream);
    const place = { number, isLast, headerHash: bytesOf(headerHash) };
    const opened = await openChunk(key, place, bytesOf(sealed));
    assert.equal(toHex(opened), plaintext);
    assert.equal(toHex(await sealChunk(key, place, opened)), sealed);
  });
}
