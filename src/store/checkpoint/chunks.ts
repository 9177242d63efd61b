import {
  type Bytes,
  concatBytes,
  equalBytes,
  setUint64,
  viewOf,
} from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";

/** Plaintext of every chunk but the last. */
export const CHUNK_BYTES = 65_536;
/** What a header may say instead. */
export const CHUNK_BYTES_MIN = 64;
export const CHUNK_BYTES_MAX = 2 ** 20;
export const CHUNK_LENGTH_BYTES = 4;

/** Which chunk of which stream. */
export interface ChunkPlace {
  /** From 0. */
  readonly number: number;
  readonly isLast: boolean;
}

/** Makes and opens the bodies of one stream's chunks; a body vouches for its place. */
export interface ChunkSealer {
  /** Length of a body over its plaintext. */
  readonly overheadBytes: number;
  /** What is wrong with a body that does not open. */
  readonly fault: string;
  seal(place: ChunkPlace, plaintext: Bytes): Bytes | Promise<Bytes>;
  /** The plaintext, a view into `body` or fresh; `null` for changed bytes. */
  open(
    place: ChunkPlace,
    body: Bytes,
  ): Uint8Array | null | Promise<Uint8Array | null>;
}

const CHECKSUM_BYTES = 4;
/** Length of a cleartext body over its plaintext. */
export const CLEARTEXT_OVERHEAD_BYTES = CHECKSUM_BYTES;
const PLACE_BYTES = 9;

/**
 * Chunks in cleartext. A chunk of another stream, at another place, or one that
 * is not last and should be, has another checksum.
 *
 *     body = plaintext ‖ CRC-32C (header hash ‖ number u64 ‖ last u8 ‖ plaintext)
 */
export class CleartextChunks implements ChunkSealer {
  readonly overheadBytes = CLEARTEXT_OVERHEAD_BYTES;
  readonly fault = "wrong checksum";
  readonly #headerChecksum: number;

  /** `headerHash` is the SHA-256 at the end of the stream's header. */
  constructor(headerHash: Uint8Array) {
    this.#headerChecksum = crc32c(headerHash);
  }

  seal(place: ChunkPlace, plaintext: Uint8Array): Bytes {
    return concatBytes(plaintext, this.#checksum(place, plaintext));
  }

  open(place: ChunkPlace, body: Bytes): Uint8Array | null {
    if (body.length < CHECKSUM_BYTES) return null;
    const until = body.length - CHECKSUM_BYTES;
    const plaintext = body.subarray(0, until);
    const expected = this.#checksum(place, plaintext);
    return equalBytes(body.subarray(until), expected) ? plaintext : null;
  }

  #checksum({ number, isLast }: ChunkPlace, plaintext: Uint8Array): Bytes {
    const place = new Uint8Array(PLACE_BYTES);
    setUint64(viewOf(place), 0, number);
    place[PLACE_BYTES - 1] = isLast ? 1 : 0;
    const crc = crc32c(plaintext, crc32c(place, this.#headerChecksum));
    const bytes = new Uint8Array(CHECKSUM_BYTES);
    viewOf(bytes).setUint32(0, crc);
    return bytes;
  }
}

/** Where a stream goes, in order; the next `write` comes after the last. */
export interface ByteSink {
  /** Do not change `bytes` until it resolves. */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Cuts plaintext into chunks.
 *
 *     chunk = length u32 of its body ‖ body
 *
 * All but the last have `chunkBytes` of plaintext; the last has 1 to
 * `chunkBytes`, or none if it is the only one.
 */
export class ChunkWriter {
  readonly #sink: ByteSink;
  readonly #sealer: ChunkSealer;
  readonly #plaintext: Bytes;
  #length = 0;
  #number = 0;

  constructor(
    sink: ByteSink,
    options: { readonly sealer: ChunkSealer; readonly chunkBytes: number },
  ) {
    this.#sink = sink;
    this.#sealer = options.sealer;
    this.#plaintext = new Uint8Array(options.chunkBytes);
  }

  /** Copies `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) {
      // Whether a full chunk is the last one shows when more bytes come.
      if (this.#length === this.#plaintext.length) await this.#emit(false);
      const room = this.#plaintext.length - this.#length;
      const part = bytes.subarray(at, at + room);
      this.#plaintext.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
    }
  }

  /** Writes the last chunk; nothing may follow. */
  end(): Promise<void> {
    return this.#emit(true);
  }

  async #emit(isLast: boolean): Promise<void> {
    const plaintext = this.#plaintext.subarray(0, this.#length);
    const place = { number: this.#number, isLast };
    const body = await this.#sealer.seal(place, plaintext);
    const length = new Uint8Array(CHUNK_LENGTH_BYTES);
    viewOf(length).setUint32(0, body.length);
    await this.#sink.write(concatBytes(length, body));
    this.#number += 1;
    this.#length = 0;
  }
}
