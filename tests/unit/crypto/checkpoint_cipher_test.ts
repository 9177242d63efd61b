import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { concatBytes, toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  CHUNK_OVERHEAD_BYTES,
  type ChunkPlace,
  deriveCheckpointKey,
  openChunk,
  sealChunk,
} from "../../../src/crypto/checkpoint_cipher.ts";
import { importDek } from "../../../src/crypto/dek.ts";
import { EnvelopeRejectedError } from "../../../src/crypto/errors.ts";
import { counting, gcm, hkdf } from "./second_opinion.ts";

const RAW = counting(32);
const STREAM = {
  clusterId: counting(16, 0x40),
  keyId: 0x12345678,
  salt: counting(32, 0xa0),
};
const PLACE: ChunkPlace = {
  number: 258,
  isLast: true,
  headerHash: counting(32, 0x20),
};

async function streamKey(): Promise<CryptoKey> {
  return await deriveCheckpointKey(await importDek(RAW), STREAM);
}

Deno.test("sealChunk() writes what the formats page says", async () => {
  const info = concatBytes(
    utf8("sealkv checkpoint v1"),
    STREAM.clusterId,
    Uint8Array.of(0x12, 0x34, 0x56, 0x78),
  );
  const raw = hkdf(RAW, STREAM.salt, info);
  const nonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1);
  const expected = gcm(raw, { nonce, aad: PLACE.headerHash }, utf8("hello"));
  const sealed = await sealChunk(await streamKey(), PLACE, utf8("hello"));
  assert.equal(toHex(sealed), toHex(expected));
  assert.equal(sealed.length, 5 + CHUNK_OVERHEAD_BYTES);
});

for (const length of [0, 1, 65_536]) {
  Deno.test(`openChunk() opens what was sealed: ${length} bytes`, async () => {
    const key = await streamKey();
    const place = { ...PLACE, number: 0, isLast: false };
    const sealed = await sealChunk(key, place, counting(length));
    assert.deepEqual(await openChunk(key, place, sealed), counting(length));
  });
}

Deno.test("openChunk() refuses another place, another byte, another length", async () => {
  const key = await streamKey();
  const sealed = await sealChunk(key, PLACE, utf8("hello"));
  const changed = sealed.slice();
  changed[0]! ^= 1;
  const cases = [
    [{ ...PLACE, number: 257 }, sealed, "tag"],
    [{ ...PLACE, isLast: false }, sealed, "tag"],
    [{ ...PLACE, headerHash: counting(32) }, sealed, "tag"],
    [PLACE, changed, "tag"],
    [PLACE, sealed.slice(0, -1), "tag"],
    [PLACE, sealed.slice(0, 15), "length"],
  ] as const;
  for (const [place, bytes, fault] of cases) {
    await assert.rejects(openChunk(key, place, bytes), (error) => {
      assert.ok(error instanceof EnvelopeRejectedError);
      assert.equal(error.fault, fault);
      return true;
    });
  }
});

Deno.test("deriveCheckpointKey() differs by cluster, key id and salt", async () => {
  const dek = await importDek(RAW);
  const sealed = new Set<string>();
  for (
    const stream of [
      STREAM,
      { ...STREAM, clusterId: counting(16) },
      { ...STREAM, keyId: 1 },
      { ...STREAM, salt: counting(32) },
    ]
  ) {
    const key = await deriveCheckpointKey(dek, stream);
    assert.equal(key.extractable, false);
    sealed.add(toHex(await sealChunk(key, PLACE, utf8("hello"))));
  }
  assert.equal(sealed.size, 4);
});

Deno.test("deriveCheckpointKey() and sealChunk() assert on lengths", async () => {
  const dek = await importDek(RAW);
  await assert.rejects(
    deriveCheckpointKey(dek, { ...STREAM, salt: counting(16) }),
    InvariantError,
  );
  const place = { ...PLACE, headerHash: counting(31) };
  await assert.rejects(
    sealChunk(await streamKey(), place, utf8("x")),
    InvariantError,
  );
});
