import { type Bytes, concatBytes, viewOf } from "../../../src/base/bytes.ts";
import { sha256 } from "../../../src/base/sha256.ts";
import { deriveCheckpointKey } from "../../../src/crypto/checkpoint_cipher.ts";
import { importDek } from "../../../src/crypto/dek.ts";
import { NO_ROLLOUT } from "../../../src/fsm/types.ts";
import {
  CHUNK_BYTES_MAX,
  CleartextChunks,
} from "../../../src/store/checkpoint/chunks.ts";
import {
  decodeHeader,
  encodeHeader,
  HEADER_BODY_BYTES_MAX,
} from "../../../src/store/checkpoint/header.ts";
import { readItem } from "../../../src/store/checkpoint/items.ts";
import { verifyCheckpoint } from "../../../src/store/checkpoint/read.ts";
import { SealedChunks } from "../../../src/store/checkpoint/sealed_chunks.ts";
import {
  CheckpointDamagedError,
  CheckpointUnsupportedError,
} from "../../../src/store/errors.ts";
import {
  fileOf,
  partsOf,
  RECORDS,
  SEALED_STATE,
  STATE,
  streamKeysOf,
  streamOf,
} from "../../unit/store/checkpoint/stream.ts";
import { ROLLOUTS } from "../../unit/store/rollout_model.ts";
import { type Decoder, nothing, only } from "../run/decoder.ts";

const refuses = only(CheckpointDamagedError, CheckpointUnsupportedError);
const PREFIX_BYTES = 12;
const HASH_BYTES = 32;
const PLACE = { number: 3, isLast: false };
const CHUNK_BYTES = 64;

const KEYS = streamKeysOf(7);
const RECORDS_FEW = RECORDS.slice(0, 4);
const CLEAR = await streamOf(STATE, RECORDS_FEW, { chunkBytes: CHUNK_BYTES });
const SEALED = await streamOf(SEALED_STATE, RECORDS_FEW, {
  chunkBytes: CHUNK_BYTES,
  keys: KEYS,
});
const WHOLE = await streamOf(STATE, RECORDS_FEW);
const CLEAR_PARTS = partsOf(CLEAR);
const ROLLED_OUT = await streamOf(
  {
    ...SEALED_STATE,
    fsm: { ...SEALED_STATE.fsm, rollout: ROLLOUTS.at(-1) ?? NO_ROLLOUT },
  },
  RECORDS_FEW,
  { keys: KEYS },
);
const HEADERS = [CLEAR, SEALED, WHOLE, ROLLED_OUT]
  .map((stream) => (partsOf(stream)[0] as Uint8Array).slice());
const PLAINTEXT = concatBytes(
  ...CLEAR_PARTS.slice(1).map((chunk) => chunk.subarray(4, chunk.length - 4)),
);

/** Gives a changed header the length and the hash that it needs. */
function rehashed(bytes: Bytes): Bytes {
  const until = bytes.length - HASH_BYTES;
  if (until < PREFIX_BYTES) return bytes;
  bytes.set((HEADERS[0] as Bytes).subarray(0, 8));
  viewOf(bytes).setUint32(8, until - PREFIX_BYTES);
  bytes.set(sha256(bytes.subarray(0, until)), until);
  return bytes;
}

/** A stream of one chunk with this plaintext, whatever it is. */
function streamWith(plaintext: Bytes): Bytes {
  const header = partsOf(WHOLE)[0] as Uint8Array;
  const chunks = new CleartextChunks(header.slice(-HASH_BYTES));
  const body = chunks.seal({ number: 0, isLast: true }, plaintext);
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, body.length);
  return concatBytes(header, length, body);
}

const HASH = new Uint8Array(32).fill(6);
const CLEAR_CHUNKS = new CleartextChunks(HASH);
const SEALED_CHUNKS = new SealedChunks(
  await deriveCheckpointKey(await importDek(new Uint8Array(32).fill(1)), {
    clusterId: new Uint8Array(16).fill(2),
    keyId: 3,
    salt: new Uint8Array(32).fill(4),
  }),
  HASH,
);
const CHUNK = PLAINTEXT.slice(0, 100);

export const CHECKPOINT_DECODERS: readonly Decoder[] = [
  {
    name: "checkpoint header",
    bytesMax: PREFIX_BYTES + HEADER_BODY_BYTES_MAX + HASH_BYTES,
    valid: HEADERS,
    repair: rehashed,
    heapPerByte: 256,
    decode: (bytes) => encodeHeader(decodeHeader("x", bytes)),
    refuses,
  },
  {
    name: "checkpoint cleartext chunk",
    bytesMax: CHUNK_BYTES_MAX + 4,
    valid: [CLEAR_CHUNKS.seal(PLACE, CHUNK)],
    repair: (bytes) =>
      CLEAR_CHUNKS.seal(
        PLACE,
        bytes.subarray(0, Math.max(0, bytes.length - 4)),
      ),
    heapPerByte: 4,
    decode: (bytes) => {
      const opened = CLEAR_CHUNKS.open(PLACE, bytes);
      return opened && CLEAR_CHUNKS.seal(PLACE, opened);
    },
    refuses: nothing,
  },
  {
    name: "checkpoint sealed chunk",
    bytesMax: CHUNK_BYTES_MAX + 16,
    valid: [await SEALED_CHUNKS.seal(PLACE, CHUNK)],
    heapPerByte: 16,
    decode: async (bytes) => {
      const opened = await SEALED_CHUNKS.open(PLACE, bytes);
      return opened && await SEALED_CHUNKS.seal(PLACE, opened);
    },
    refuses: nothing,
  },
  {
    name: "checkpoint items",
    bytesMax: CHUNK_BYTES_MAX,
    valid: [PLAINTEXT],
    heapPerByte: 64,
    decode: (bytes) => {
      for (let at = 0; at < bytes.length;) {
        const item = readItem(bytes, at);
        if (item.kind === "damaged" || item.kind === "cut") return null;
        if (item.next <= at || item.next > bytes.length) {
          throw new Error(`an item from ${at} to ${item.next}`);
        }
        at = item.next;
      }
      return "taken";
    },
    refuses: nothing,
  },
  {
    name: "checkpoint stream, cleartext",
    bytesMax: CHUNK_BYTES_MAX,
    valid: [CLEAR, WHOLE],
    near: (rng) => {
      const until = rng.below(PLAINTEXT.length);
      const plaintext = PLAINTEXT.slice(0, rng.once(2) ? until : undefined);
      const at = rng.below(Math.max(1, plaintext.length));
      if (at < plaintext.length) plaintext[at] = rng.u32();
      return streamWith(plaintext);
    },
    heapPerByte: 256,
    decode: (bytes) =>
      verifyCheckpoint(fileOf(bytes), {}).then(() => "taken" as const),
    refuses,
  },
  {
    name: "checkpoint stream, sealed",
    bytesMax: CHUNK_BYTES_MAX,
    valid: [SEALED],
    heapPerByte: 256,
    decode: async (bytes) => {
      await verifyCheckpoint(fileOf(bytes), { keys: KEYS });
      return SEALED;
    },
    refuses,
  },
];
