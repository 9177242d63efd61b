/*
 * Goal: whatever bytes are opened, the answer is the text that was sealed or
 * EnvelopeRejectedError; nothing else is thrown, and no bit goes unnoticed.
 * Method: any bytes, damaged envelopes, and one flipped bit in each thing that
 * an envelope is bound to. More of it: FUZZ_RUNS=1000000.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, equalBytes } from "../../src/base/bytes.ts";
import {
  CHUNK_OVERHEAD_BYTES,
  deriveCheckpointKey,
  openChunk,
  sealChunk,
} from "../../src/crypto/checkpoint_cipher.ts";
import { importDek } from "../../src/crypto/dek.ts";
import { EnvelopeRejectedError } from "../../src/crypto/errors.ts";
import {
  dekWrapAad,
  importKek,
  unwrapSecret,
  wrapSecret,
} from "../../src/crypto/kek_wrap.ts";
import {
  decodeNonce,
  encodeNonce,
  NONCES_MAX,
  NonceSequence,
} from "../../src/crypto/nonce.ts";
import {
  openRaftEnvelope,
  peekRaftEnvelope,
  RAFT_ENVELOPE_OVERHEAD_BYTES,
  sealRaftEnvelope,
} from "../../src/crypto/raft_envelope.ts";
import { deriveSessionKey } from "../../src/crypto/session.ts";
import {
  openStorageEnvelope,
  peekStorageEnvelope,
  sealStorageEnvelope,
  STORAGE_ENVELOPE_OVERHEAD_BYTES,
} from "../../src/crypto/storage_envelope.ts";

const RUNS = { numRuns: Number(Deno.env.get("FUZZ_RUNS") ?? 1_000) };

/** Everything that an envelope's opening depends on. */
interface Given {
  readonly dek: Bytes;
  readonly clusterId: Bytes;
  readonly salt: Bytes;
  readonly header: Bytes;
  readonly storeKey: Bytes;
}

interface Sealed extends Given {
  readonly plaintext: Bytes;
  readonly envelope: Bytes;
}

interface Kind {
  readonly name: string;
  readonly saltBytes: number;
  readonly overheadBytes: number;
  /** The key that the envelope asks for; our own session's if it does not. */
  readonly key: (given: Given, envelope: Bytes | null) => Promise<CryptoKey>;
  readonly seal: (
    key: CryptoKey,
    given: Given,
    plaintext: Bytes,
  ) => Promise<Bytes>;
  readonly open: (
    key: CryptoKey,
    given: Given,
    envelope: Bytes,
  ) => Promise<Bytes>;
  readonly peek: (bytes: Bytes) => unknown;
  /** What its tag binds it to, and what else its key does. */
  readonly byTag: readonly (keyof Sealed)[];
  readonly byKey: readonly (keyof Sealed)[];
}

const KEY_ID = 0x12345678;
const COUNT = 258;
const OWN = {
  keyId: KEY_ID,
  nonce: { node16: 0xd4c0, epoch: 7, count: COUNT },
};

function nonces(): NonceSequence {
  return new NonceSequence(OWN.nonce.node16, OWN.nonce.epoch, COUNT - 1);
}

function placeOf({ header }: Given) {
  const headerHash = new Uint8Array(32);
  headerHash.set(header);
  return { number: COUNT, isLast: true, headerHash };
}

const KINDS: readonly Kind[] = [
  {
    name: "storage envelope",
    saltBytes: 32,
    overheadBytes: STORAGE_ENVELOPE_OVERHEAD_BYTES,
    key: async (given, envelope) => {
      const { keyId, nonce } = envelope && peekStorageEnvelope(envelope) || OWN;
      const name = { ...given, ...nonce, keyId, purpose: "storage" } as const;
      return await deriveSessionKey(await importDek(given.dek), name);
    },
    seal: async (key, { clusterId, header, storeKey }, plaintext) => {
      const session = { key, keyId: KEY_ID, nonces: nonces(), clusterId };
      return await sealStorageEnvelope(session, header, storeKey, plaintext);
    },
    open: async (key, { clusterId, header, storeKey }, envelope) => {
      const session = { key, clusterId };
      return await openStorageEnvelope(session, header, storeKey, envelope);
    },
    peek: peekStorageEnvelope,
    byTag: ["clusterId", "header", "storeKey", "envelope"],
    byKey: ["dek", "salt"],
  },
  {
    name: "raft envelope",
    saltBytes: 16,
    overheadBytes: RAFT_ENVELOPE_OVERHEAD_BYTES,
    key: async (given, envelope) => {
      const { keyId, nonce, salt } = envelope && peekRaftEnvelope(envelope) ||
        { ...OWN, salt: given.salt };
      const name = {
        ...given,
        ...nonce,
        keyId,
        salt,
        purpose: "raft",
      } as const;
      return await deriveSessionKey(await importDek(given.dek), name);
    },
    seal: async (key, { clusterId, salt }, payload) => {
      const session = { key, keyId: KEY_ID, nonces: nonces(), clusterId, salt };
      return await sealRaftEnvelope(session, payload);
    },
    open: async (key, { clusterId }, envelope) =>
      await openRaftEnvelope({ key, clusterId }, envelope),
    peek: peekRaftEnvelope,
    byTag: ["clusterId", "envelope"],
    byKey: ["dek"],
  },
  {
    name: "checkpoint chunk",
    saltBytes: 32,
    overheadBytes: CHUNK_OVERHEAD_BYTES,
    key: async (given) => {
      const stream = { ...given, keyId: KEY_ID };
      return await deriveCheckpointKey(await importDek(given.dek), stream);
    },
    seal: async (key, given, plaintext) =>
      await sealChunk(key, placeOf(given), plaintext),
    open: async (key, given, sealed) =>
      await openChunk(key, placeOf(given), sealed),
    peek: () => null,
    byTag: ["header", "envelope"],
    byKey: ["dek", "clusterId", "salt"],
  },
];

function bytes(length: number, maxLength = length): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength: length, maxLength })
    .map((array) => new Uint8Array(array));
}

function given(kind: Kind): fc.Arbitrary<Given> {
  return fc.record({
    dek: bytes(32),
    clusterId: bytes(16),
    salt: bytes(kind.saltBytes),
    header: bytes(21),
    storeKey: bytes(1, 40),
  });
}

/** Edits, and the length that is left or made. */
const DAMAGE = fc.record({
  edits: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
  lengthBy: fc.oneof(fc.constant(0), fc.integer({ min: -400, max: 8 })),
});

function damaged(
  valid: Bytes,
  { edits, lengthBy }: {
    readonly edits: readonly (readonly [number, number])[];
    readonly lengthBy: number;
  },
): Bytes {
  const changed = new Uint8Array(Math.max(0, valid.length + lengthBy));
  changed.set(valid.subarray(0, changed.length));
  for (const [at, byte] of edits) {
    if (changed.length > 0) changed[at % changed.length] = byte;
  }
  return changed;
}

function flipped(valid: Bytes, bit: number): Bytes {
  const changed = valid.slice();
  const at = bit % (valid.length * 8);
  changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
  return changed;
}

for (const kind of KINDS) {
  const openByItself = async (given: Given, envelope: Bytes) =>
    await kind.open(await kind.key(given, envelope), given, envelope);

  Deno.test(`any bytes are no ${kind.name}`, async () => {
    const property = fc.asyncProperty(
      given(kind),
      bytes(0, 200),
      fc.boolean(),
      async (place, any, isLikely) => {
        if (isLikely) any.set(Uint8Array.of(1, 0).subarray(0, any.length));
        kind.peek(any);
        await assert.rejects(openByItself(place, any), EnvelopeRejectedError);
      },
    );
    await fc.assert(property, RUNS);
  });

  Deno.test(`a damaged ${kind.name} is rejected, a whole one opens`, async () => {
    const property = fc.asyncProperty(
      given(kind),
      bytes(0, 200),
      DAMAGE,
      async (place, plaintext, damage) => {
        const key = await kind.key(place, null);
        const envelope = await kind.seal(key, place, plaintext);
        assert.equal(envelope.length, plaintext.length + kind.overheadBytes);
        const changed = damaged(envelope, damage);
        kind.peek(changed);
        const opened = openByItself(place, changed);
        if (equalBytes(changed, envelope)) {
          assert.deepEqual(await opened, plaintext);
        } else {
          await assert.rejects(opened, EnvelopeRejectedError);
        }
      },
    );
    await fc.assert(property, RUNS);
  });

  for (
    const [by, fields] of [["tag", kind.byTag], ["key", kind.byKey]] as const
  ) {
    Deno.test(`the ${by} of a ${kind.name} binds it to every bit of ${fields}`, async () => {
      const property = fc.asyncProperty(
        given(kind),
        bytes(0, 200),
        fc.constantFrom(...fields),
        fc.nat(2 ** 20),
        async (place, plaintext, field, bit) => {
          const key = await kind.key(place, null);
          const envelope = await kind.seal(key, place, plaintext);
          const sealed: Sealed = { ...place, plaintext, envelope };
          const changed = { ...sealed, [field]: flipped(sealed[field], bit) };
          const opened = by === "tag"
            ? kind.open(key, changed, changed.envelope)
            : kind.open(await kind.key(changed, null), place, envelope);
          await assert.rejects(opened, EnvelopeRejectedError);
        },
      );
      await fc.assert(property, RUNS);
    });
  }
}

Deno.test("a wrap is bound to every bit of itself, its KEK and its context", async () => {
  const property = fc.asyncProperty(
    bytes(32),
    bytes(12),
    bytes(32),
    bytes(16),
    fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    fc.constantFrom("wrapped", "kek", "aad"),
    fc.nat(2 ** 20),
    async (raw, nonce, secret, clusterId, keyId, field, bit) => {
      const aad = dekWrapAad({ clusterId, keyId, purpose: "storage" });
      const wrapped = await wrapSecret(
        await importKek(raw),
        nonce,
        secret,
        aad,
      );
      const whole = { wrapped, aad, kek: raw };
      const open = async ({ kek, wrapped, aad }: typeof whole) =>
        await unwrapSecret(await importKek(kek), wrapped, aad);
      assert.deepEqual(await open(whole), secret);
      const key = field as keyof typeof whole;
      const changed = { ...whole, [key]: flipped(whole[key], bit) };
      assert.equal(await open(changed), null);
    },
  );
  await fc.assert(property, RUNS);
});

Deno.test("any bytes are no wrap", async () => {
  const kek = await importKek(new Uint8Array(32));
  const property = fc.asyncProperty(
    bytes(0, 70),
    bytes(60),
    async (any, exact) => {
      assert.equal(await unwrapSecret(kek, any, any), null);
      assert.equal(await unwrapSecret(kek, exact, any), null);
    },
  );
  await fc.assert(property, RUNS);
});

Deno.test("decodeNonce() reads what encodeNonce() writes and nothing else", () => {
  const property = fc.property(
    fc.oneof(
      bytes(0, 14),
      bytes(12).map((any) => any.fill(0, 4, 7)),
      fc.record({
        node16: fc.nat(0xffff),
        epoch: fc.integer({ min: 1, max: 0xffff }),
        count: fc.integer({ min: 1, max: NONCES_MAX }),
      }).map(encodeNonce),
    ),
    (any) => {
      const nonce = decodeNonce(any);
      if (nonce !== null) assert.deepEqual(encodeNonce(nonce), any);
    },
  );
  fc.assert(property, RUNS);
});
