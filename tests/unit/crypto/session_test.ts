import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { concatBytes, toHex, utf8 } from "../../../src/base/bytes.ts";
import { sealGcm } from "../../../src/crypto/aes_gcm.ts";
import { importDek } from "../../../src/crypto/dek.ts";
import {
  deriveSessionKey,
  type SessionName,
} from "../../../src/crypto/session.ts";
import { counting, gcm, hkdf } from "./second_opinion.ts";

const RAW = counting(32);
const STORAGE: SessionName = {
  clusterId: counting(16, 0x40),
  keyId: 0x12345678,
  purpose: "storage",
  node16: 0xd4c0,
  epoch: 7,
  salt: counting(32, 0xa0),
};
const RAFT: SessionName = {
  ...STORAGE,
  purpose: "raft",
  salt: counting(16, 0xa0),
};
const PLACE = { nonce: counting(12), aad: utf8("place") };

for (const session of [STORAGE, RAFT]) {
  Deno.test(`deriveSessionKey() is the derivation of the formats page: ${session.purpose}`, async () => {
    const purpose = session.purpose === "storage" ? 1 : 2;
    const info = concatBytes(
      utf8("sealkv session v1"),
      session.clusterId,
      Uint8Array.of(0x12, 0x34, 0x56, 0x78, purpose, 0xd4, 0xc0, 0, 7),
    );
    const key = await deriveSessionKey(await importDek(RAW), session);
    assert.equal(key.extractable, false);
    const raw = hkdf(RAW, session.salt, info);
    assert.equal(
      toHex(await sealGcm(key, PLACE, utf8("hello"))),
      toHex(gcm(raw, PLACE, utf8("hello"))),
    );
  });
}

Deno.test("deriveSessionKey() differs by every field", async () => {
  const dek = await importDek(RAW);
  const sealed = new Set<string>();
  const sessions: readonly SessionName[] = [
    STORAGE,
    RAFT,
    { ...STORAGE, clusterId: counting(16) },
    { ...STORAGE, keyId: 1 },
    { ...STORAGE, node16: 1 },
    { ...STORAGE, epoch: 8 },
    { ...STORAGE, salt: counting(32) },
  ];
  for (const session of sessions) {
    const key = await deriveSessionKey(dek, session);
    sealed.add(toHex(await sealGcm(key, PLACE, utf8("hello"))));
  }
  assert.equal(sealed.size, sessions.length);
});

Deno.test("deriveSessionKey() asserts on another salt's length, epoch 0 and node16", async () => {
  const dek = await importDek(RAW);
  for (
    const session of [
      { ...STORAGE, salt: counting(16) },
      { ...RAFT, salt: counting(32) },
      { ...STORAGE, epoch: 0 },
      { ...STORAGE, node16: 0x10000 },
    ]
  ) {
    await assert.rejects(deriveSessionKey(dek, session), InvariantError);
  }
});
