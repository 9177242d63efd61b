import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { concatBytes, toHex, utf8 } from "../../../src/base/bytes.ts";
import { commitmentOf, importDek } from "../../../src/crypto/dek.ts";
import { counting, hkdf } from "./second_opinion.ts";

const RAW = counting(32);
const NAME = {
  clusterId: counting(16, 0x40),
  keyId: 0x12345678,
  purpose: "raft",
} as const;

Deno.test("importDek() takes 32 bytes and gives none back", async () => {
  assert.equal((await importDek(RAW)).extractable, false);
  await assert.rejects(importDek(counting(31)), InvariantError);
});

Deno.test("commitmentOf() is the derivation of the formats page", async () => {
  const info = concatBytes(
    utf8("sealkv dek commitment v1"),
    NAME.clusterId,
    Uint8Array.of(0x12, 0x34, 0x56, 0x78, 2),
  );
  const commitment = await commitmentOf(await importDek(RAW), NAME);
  const expected = hkdf(RAW, new Uint8Array(0), info);
  assert.equal(toHex(commitment), toHex(expected));
});

Deno.test("commitmentOf() differs by key, cluster, id and purpose", async () => {
  const dek = await importDek(RAW);
  const commitments = await Promise.all([
    commitmentOf(dek, NAME),
    commitmentOf(await importDek(counting(32, 1)), NAME),
    commitmentOf(dek, { ...NAME, clusterId: counting(16) }),
    commitmentOf(dek, { ...NAME, keyId: 1 }),
    commitmentOf(dek, { ...NAME, purpose: "state" }),
  ]);
  assert.equal(new Set(commitments.map(toHex)).size, 5);
});

for (const keyId of [0, -1, 1.5, 2 ** 32]) {
  Deno.test(`commitmentOf() asserts on the key id ${keyId}`, async () => {
    const dek = await importDek(RAW);
    await assert.rejects(commitmentOf(dek, { ...NAME, keyId }), InvariantError);
  });
}
