import { assert } from "../../base/assert.ts";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../../base/bytes.ts";
import {
  type DatabaseNumber,
  DEFAULT_DATABASE,
  type RecordKey,
} from "../../fsm/types.ts";
import {
  CheckpointDamagedError,
  CheckpointUnsupportedError,
} from "../errors.ts";
import type { CheckpointState } from "../meta.ts";
import { compareRows } from "../row_key.ts";
import {
  type CheckpointFile,
  ChunkReader,
  type OpenedHeader,
  openHeader,
} from "./chunk_reader.ts";
import type { ChunkSealer } from "./chunks.ts";
import type { CheckpointHeader } from "./header.ts";
import { type CheckpointDatabase, type ItemRead, readItem } from "./items.ts";
import { sealerOf, type StreamKeys } from "./sealed_chunks.ts";
import type {
  CheckpointRecord,
  CheckpointSource,
  CheckpointSummary,
} from "./source.ts";

export type { CheckpointFile } from "./chunk_reader.ts";

export interface ReadCheckpointOptions {
  /** Without them a sealed stream is refused as unsupported. */
  readonly keys?: StreamKeys;
}

/**
 * Opens a stream: its header and databases are verified, its records while
 * they are read.
 *
 * The file belongs to the caller and must not change.
 *
 * @throws {CheckpointDamagedError | CheckpointUnsupportedError}
 * @throws {NodeError} Why the keys given are not those of a sealed stream.
 */
export async function readCheckpoint(
  file: CheckpointFile,
  options: ReadCheckpointOptions = {},
): Promise<CheckpointReader> {
  const items = await openItems(file, options);
  const databases = new Map<string, DatabaseNumber>();
  let last = DEFAULT_DATABASE;
  for (let i = 0; i < items.header.databases; i += 1) {
    const { name, number } = await items.nextDatabase();
    if (number <= last || databases.has(name) || name === "") {
      throw items.damaged("databases out of order");
    }
    last = number;
    databases.set(name, number);
  }
  const { state } = items.header;
  const fsm = { ...state.fsm, databases };
  return new CheckpointReader({ ...state, fsm }, items);
}

/**
 * Reads all of a stream, so that nothing is built from a part of one.
 *
 * @throws As `readCheckpoint`.
 */
export async function verifyCheckpoint(
  file: CheckpointFile,
  options: ReadCheckpointOptions = {},
): Promise<CheckpointSummary & { readonly state: CheckpointState }> {
  const reader = await readCheckpoint(file, options);
  let records = 0;
  for await (const page of reader.records()) records += page.length;
  const { state, bytes, digest } = reader;
  return { state, bytes, records, digest };
}

/** A stream as a source of what it was made from. */
export class CheckpointReader implements CheckpointSource {
  readonly state: CheckpointState;
  readonly #items: ItemReader;
  #isStarted = false;

  constructor(state: CheckpointState, items: ItemReader) {
    this.state = state;
    this.#items = items;
  }

  /** Length of the file. */
  get bytes(): number {
    return this.#items.fileBytes;
  }

  /** The header's hash: tells this stream from every other. */
  get digest(): Bytes {
    return this.#items.digest;
  }

  /** @throws {CheckpointDamagedError} After any number of records. */
  async *records(): AsyncGenerator<readonly CheckpointRecord[]> {
    assert(!this.#isStarted, "a checkpoint is read once");
    this.#isStarted = true;
    const known = new Set(this.state.fsm.databases.values());
    known.add(DEFAULT_DATABASE);
    let last: RecordKey | null = null;
    for (;;) {
      const page = await this.#items.nextRecords();
      if (page === null) return;
      for (const record of page) {
        if (last !== null && compareRows(last, record) >= 0) {
          throw this.#items.damaged("records out of order");
        }
        if (!known.has(record.database)) {
          throw this.#items.damaged("an unknown database");
        }
        last = record;
      }
      if (page.length > 0) yield page;
    }
  }

  /** The file stays open: it is the caller's. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function openItems(
  file: CheckpointFile,
  { keys }: ReadCheckpointOptions,
): Promise<ItemReader> {
  const opened = await openHeader(file);
  const sealer = await sealerOf(opened.header, opened.digest, keys);
  if (sealer === null) {
    throw new CheckpointUnsupportedError(file.path, "sealed chunks");
  }
  return new ItemReader(new ChunkReader(file, opened), sealer, opened);
}

/** Opens chunks in order and cuts them into items. */
class ItemReader {
  readonly header: CheckpointHeader;
  readonly digest: Bytes;
  readonly fileBytes: number;
  readonly #chunks: ChunkReader;
  readonly #sealer: ChunkSealer;
  /** Plaintext from the first item that is not read. */
  #plaintext: Uint8Array = EMPTY_BYTES;

  constructor(
    chunks: ChunkReader,
    sealer: ChunkSealer,
    opened: OpenedHeader,
  ) {
    this.header = opened.header;
    this.digest = opened.digest;
    this.fileBytes = opened.fileBytes;
    this.#chunks = chunks;
    this.#sealer = sealer;
  }

  async nextDatabase(): Promise<CheckpointDatabase> {
    for (;;) {
      const item = this.#readItem();
      if (item.kind === "database") return item.database;
      if (item.kind === "record") throw this.damaged("a database missing");
      if (!await this.#more()) throw this.damaged("a database missing");
    }
  }

  /** Records of what is left of a chunk; `null` after the last. */
  async nextRecords(): Promise<readonly CheckpointRecord[] | null> {
    const records: CheckpointRecord[] = [];
    for (;;) {
      const item = this.#readItem();
      if (item.kind === "record") records.push(item.record);
      else if (item.kind === "database") {
        throw this.damaged("a database among records");
      } else if (records.length > 0) return records;
      else if (!await this.#more()) return null;
    }
  }

  damaged(fault: string): CheckpointDamagedError {
    return this.#chunks.damaged(fault);
  }

  #readItem(): Exclude<ItemRead, { kind: "damaged" }> {
    const item = readItem(this.#plaintext, 0);
    if (item.kind === "damaged") throw this.damaged(item.fault);
    if (item.kind !== "cut") {
      this.#plaintext = this.#plaintext.subarray(item.next);
    }
    return item;
  }

  /** Opens the next chunk; false when there was a last one. */
  async #more(): Promise<boolean> {
    const chunk = await this.#chunks.next();
    if (chunk === null) {
      if (this.#plaintext.length > 0) throw this.damaged("an item cut short");
      return false;
    }
    const opened = await this.#sealer.open(chunk.place, chunk.body);
    if (opened === null) throw this.damaged(this.#sealer.fault);
    this.#plaintext = this.#plaintext.length === 0
      ? opened
      : concatBytes(this.#plaintext, opened);
    return true;
  }
}
