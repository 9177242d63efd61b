import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { type KeyId, NO_KEY } from "../../base/data_key.ts";
import {
  CHUNK_OVERHEAD_BYTES,
  openChunk,
  sealChunk,
} from "../../crypto/checkpoint_cipher.ts";
import { EnvelopeRejectedError } from "../../crypto/errors.ts";
import {
  type ChunkPlace,
  type ChunkSealer,
  CleartextChunks,
} from "./chunks.ts";
import { type CheckpointHeader, streamKeyId } from "./header.ts";

/** What the key of a stream is derived from, besides a data key. */
export interface StreamName {
  readonly clusterId: Bytes;
  /** Of the storage key. */
  readonly keyId: KeyId;
  /** 32 bytes, drawn for this stream. */
  readonly salt: Bytes;
}

/** Whoever holds the data keys: gives the key of a stream, and only that. */
export interface StreamKeys {
  /**
   * What `deriveCheckpointKey` gives.
   *
   * @throws {NodeError} There is no such key here.
   */
  streamKey(stream: StreamName): Promise<CryptoKey>;
}

/**
 * Sealed chunks: AES-256-GCM bound to the place and the header. A chunk of
 * another stream, at another place, or one that is not last and should be, does
 * not open.
 *
 *     body = ciphertext ‖ tag
 */
export class SealedChunks implements ChunkSealer {
  readonly overheadBytes = CHUNK_OVERHEAD_BYTES;
  readonly fault = "wrong tag";
  readonly #key: CryptoKey;
  readonly #headerHash: Bytes;

  /** `headerHash` is the SHA-256 at the end of the stream's header. */
  constructor(key: CryptoKey, headerHash: Bytes) {
    this.#key = key;
    this.#headerHash = headerHash;
  }

  seal(place: ChunkPlace, plaintext: Bytes): Promise<Bytes> {
    const bound = { ...place, headerHash: this.#headerHash };
    return sealChunk(this.#key, bound, plaintext);
  }

  async open(place: ChunkPlace, body: Bytes): Promise<Bytes | null> {
    const bound = { ...place, headerHash: this.#headerHash };
    try {
      return await openChunk(this.#key, bound, body);
    } catch (error) {
      if (error instanceof EnvelopeRejectedError) return null;
      throw error;
    }
  }
}

/**
 * What makes and opens the chunks of the stream with this header; `null` when
 * they are sealed and there are no keys.
 *
 * @throws {NodeError} `keys` has not the one of this stream.
 */
export async function sealerOf(
  { state, salt }: CheckpointHeader,
  headerHash: Bytes,
  keys: StreamKeys | undefined,
): Promise<ChunkSealer | null> {
  const keyId = streamKeyId(state);
  if (keyId === NO_KEY) return new CleartextChunks(headerHash);
  if (keys === undefined) return null;
  const clusterId = present(state.fsm.clusterId, "keys are of a cluster");
  const key = await keys.streamKey({ clusterId, keyId, salt });
  return new SealedChunks(key, headerHash);
}
