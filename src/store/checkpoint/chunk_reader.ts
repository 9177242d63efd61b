import { type Bytes, viewOf } from "../../base/bytes.ts";
import { NO_KEY } from "../../base/data_key.ts";
import { CHUNK_OVERHEAD_BYTES } from "../../crypto/checkpoint_cipher.ts";
import type { DiskFile } from "../../io/disk.ts";
import { CheckpointDamagedError } from "../errors.ts";
import {
  CHUNK_LENGTH_BYTES,
  type ChunkPlace,
  CLEARTEXT_OVERHEAD_BYTES,
} from "./chunks.ts";
import {
  type CheckpointHeader,
  decodeHeader,
  HEADER_PREFIX_BYTES,
  headerBytes,
  headerHash,
  streamKeyId,
} from "./header.ts";

/** What reading needs of a file; errors name its path. */
export type CheckpointFile = Pick<DiskFile, "path" | "size" | "readAt">;

/** A header, and what its file says of it. */
export interface OpenedHeader {
  readonly header: CheckpointHeader;
  /** Its hash: tells this stream from every other. */
  readonly digest: Bytes;
  readonly fileBytes: number;
  /** Offset of the first chunk. */
  readonly chunksAt: number;
}

/**
 * Reads the header alone; its hash holds.
 *
 * @throws {CheckpointDamagedError | CheckpointUnsupportedError}
 */
export async function openHeader(file: CheckpointFile): Promise<OpenedHeader> {
  const { path } = file;
  const prefix = await file.readAt(0, HEADER_PREFIX_BYTES);
  const chunksAt = headerBytes(path, prefix);
  const bytes = await file.readAt(0, chunksAt);
  const header = decodeHeader(path, bytes);
  const fileBytes = await file.size();
  return { header, digest: headerHash(bytes), fileBytes, chunksAt };
}

/** A chunk as it lies in the file. */
export interface RawChunk {
  readonly place: ChunkPlace;
  readonly body: Bytes;
}

/** Cuts a file into its chunks, and opens none. */
export class ChunkReader {
  readonly #file: CheckpointFile;
  readonly #opened: OpenedHeader;
  readonly #overheadBytes: number;
  /** Where the next chunk starts, and the one that was read last. */
  #nextAt: number;
  #chunkAt: number;
  #number = 0;

  constructor(file: CheckpointFile, opened: OpenedHeader) {
    this.#file = file;
    this.#opened = opened;
    this.#overheadBytes = streamKeyId(opened.header.state) === NO_KEY
      ? CLEARTEXT_OVERHEAD_BYTES
      : CHUNK_OVERHEAD_BYTES;
    this.#nextAt = opened.chunksAt;
    this.#chunkAt = opened.chunksAt;
  }

  /** An error that names the chunk that was read last. */
  damaged(fault: string): CheckpointDamagedError {
    return new CheckpointDamagedError(this.#file.path, fault, this.#chunkAt);
  }

  /**
   * `null` when there was a last one.
   *
   * @throws {CheckpointDamagedError}
   */
  async next(): Promise<RawChunk | null> {
    const { fileBytes, header } = this.#opened;
    if (this.#number > 0 && this.#nextAt === fileBytes) return null;
    const overheadBytes = this.#overheadBytes;
    this.#chunkAt = this.#nextAt;
    const longest = CHUNK_LENGTH_BYTES + header.chunkBytes + overheadBytes;
    const bytes = await this.#file.readAt(this.#chunkAt, longest);
    if (bytes.length < CHUNK_LENGTH_BYTES) throw this.damaged("a missing end");
    const length = viewOf(bytes).getUint32(0);
    const until = CHUNK_LENGTH_BYTES + length;
    if (length < overheadBytes || until > longest) {
      throw this.damaged("a chunk of a wrong length");
    }
    if (until > bytes.length) throw this.damaged("a chunk cut short");
    this.#nextAt = this.#chunkAt + until;
    const isLast = this.#nextAt === fileBytes;
    const number = this.#number;
    this.#number += 1;
    const isWhole = isLast
      ? length > overheadBytes || number === 0
      : until === longest;
    if (!isWhole) throw this.damaged("a chunk of a wrong length");
    const body = bytes.subarray(CHUNK_LENGTH_BYTES, until);
    return { place: { number, isLast }, body };
  }
}

/**
 * Reads all of a stream without opening a chunk: as much as can be said of a
 * sealed one without keys. Its end may be missing where a full chunk ends.
 *
 * @throws {CheckpointDamagedError | CheckpointUnsupportedError}
 */
export async function walkCheckpoint(
  file: CheckpointFile,
): Promise<OpenedHeader & { readonly chunks: number }> {
  const opened = await openHeader(file);
  const reader = new ChunkReader(file, opened);
  let chunks = 0;
  while (await reader.next() !== null) chunks += 1;
  return { ...opened, chunks };
}
