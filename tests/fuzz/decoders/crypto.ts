import { type Bytes, concatBytes, utf8 } from "../../../src/base/bytes.ts";
import { importDek } from "../../../src/crypto/dek.ts";
import { EnvelopeRejectedError } from "../../../src/crypto/errors.ts";
import {
  dekWrapAad,
  importKek,
  unwrapSecret,
  wrapSecret,
} from "../../../src/crypto/kek_wrap.ts";
import {
  decodeNonce,
  encodeNonce,
  NonceSequence,
} from "../../../src/crypto/nonce.ts";
import {
  openRaftEnvelope,
  peekRaftEnvelope,
  sealRaftEnvelope,
} from "../../../src/crypto/raft_envelope.ts";
import { deriveSessionKey } from "../../../src/crypto/session.ts";
import {
  openStorageEnvelope,
  peekStorageEnvelope,
  sealStorageEnvelope,
} from "../../../src/crypto/storage_envelope.ts";
import { type Decoder, nothing, only } from "../run/decoder.ts";

const refuses = only(EnvelopeRejectedError);
const CLUSTER_ID = new Uint8Array(16).fill(2);
const KEY_ID = 0x12345678;
const WRITER = { node16: 0xd4c0, epoch: 7 };
const HEADER = new Uint8Array(21).fill(1);
const STORE_KEY = utf8("a key");
const SALT = new Uint8Array(32).fill(4);
const TEXT = utf8("what was sealed");
const ENVELOPE_BYTES_MAX = 2 ** 20;

const DEK = await importDek(new Uint8Array(32).fill(1));
const NAME = { clusterId: CLUSTER_ID, keyId: KEY_ID, ...WRITER };
const STORAGE = {
  ...{ keyId: KEY_ID, clusterId: CLUSTER_ID },
  key: await deriveSessionKey(DEK, { ...NAME, purpose: "storage", salt: SALT }),
};
const RAFT_SALT = SALT.slice(0, 16);
const RAFT = {
  ...{ keyId: KEY_ID, clusterId: CLUSTER_ID, salt: RAFT_SALT },
  key: await deriveSessionKey(DEK, {
    ...NAME,
    purpose: "raft",
    salt: RAFT_SALT,
  }),
};
const KEK = await importKek(new Uint8Array(32).fill(3));
const AAD = dekWrapAad({
  clusterId: CLUSTER_ID,
  keyId: KEY_ID,
  purpose: "storage",
});

/** The sequence that has `count` as its next. */
function noncesBefore(count: number): NonceSequence {
  return new NonceSequence(WRITER.node16, WRITER.epoch, count - 1);
}

async function sealStorage(count: number, text: Bytes): Promise<Bytes> {
  const session = { ...STORAGE, nonces: noncesBefore(count) };
  return await sealStorageEnvelope(session, HEADER, STORE_KEY, text);
}

async function sealRaft(count: number, text: Bytes): Promise<Bytes> {
  return await sealRaftEnvelope({ ...RAFT, nonces: noncesBefore(count) }, text);
}

const STORAGE_VALID = [
  await sealStorage(1, TEXT),
  await sealStorage(2 ** 32, utf8("")),
];
const RAFT_VALID = [await sealRaft(9, TEXT), await sealRaft(2 ** 31, utf8(""))];

export const CRYPTO_DECODERS: readonly Decoder[] = [
  {
    name: "crypto storage envelope peek",
    bytesMax: ENVELOPE_BYTES_MAX,
    valid: STORAGE_VALID,
    heapPerByte: 4,
    decode: (bytes) => {
      const found = peekStorageEnvelope(bytes);
      if (found === null) return null;
      const prefix = bytes.slice(0, 6);
      const rest = bytes.subarray(18);
      return concatBytes(prefix, encodeNonce(found.nonce), rest);
    },
    refuses: nothing,
  },
  {
    name: "crypto raft envelope peek",
    bytesMax: ENVELOPE_BYTES_MAX,
    valid: RAFT_VALID,
    heapPerByte: 4,
    decode: (bytes) => {
      const found = peekRaftEnvelope(bytes);
      if (found === null) return null;
      const prefix = bytes.slice(0, 6);
      const nonce = encodeNonce(found.nonce);
      return concatBytes(prefix, found.salt, nonce, bytes.subarray(34));
    },
    refuses: nothing,
  },
  {
    name: "crypto nonce",
    bytesMax: 12,
    valid: [encodeNonce({ ...WRITER, count: 2 ** 32 })],
    heapPerByte: 8,
    decode: (bytes) => {
      const nonce = decodeNonce(bytes);
      return nonce && encodeNonce(nonce);
    },
    refuses: nothing,
  },
  {
    name: "crypto storage envelope open",
    bytesMax: ENVELOPE_BYTES_MAX,
    valid: STORAGE_VALID,
    heapPerByte: 16,
    decode: async (bytes) => {
      const text = await openStorageEnvelope(STORAGE, HEADER, STORE_KEY, bytes);
      const count = peekStorageEnvelope(bytes)?.nonce.count ?? 0;
      return await sealStorage(count, text);
    },
    refuses,
  },
  {
    name: "crypto raft envelope open",
    bytesMax: ENVELOPE_BYTES_MAX,
    valid: RAFT_VALID,
    heapPerByte: 16,
    decode: async (bytes) => {
      const text = await openRaftEnvelope(RAFT, bytes);
      const count = peekRaftEnvelope(bytes)?.nonce.count ?? 0;
      return await sealRaft(count, text);
    },
    refuses,
  },
  {
    name: "crypto wrap",
    bytesMax: 60,
    valid: [
      await wrapSecret(KEK, SALT.slice(0, 12), new Uint8Array(32).fill(8), AAD),
    ],
    repair: (bytes, rng) => {
      const whole = new Uint8Array(60);
      whole.set(bytes.subarray(0, 60));
      return rng.once(8) ? bytes : whole;
    },
    heapPerByte: 16,
    decode: async (bytes) => {
      const secret = await unwrapSecret(KEK, bytes, AAD);
      return secret && await wrapSecret(KEK, bytes.slice(0, 12), secret, AAD);
    },
    refuses: nothing,
  },
];
