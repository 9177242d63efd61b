import { assert } from "../../base/assert.ts";
import { parentOf } from "../../base/path.ts";
import type { Disk } from "../../io/disk.ts";
import type { Random } from "../../io/random.ts";
import {
  type ByteSink,
  CHUNK_BYTES,
  CHUNK_BYTES_MAX,
  CHUNK_BYTES_MIN,
  ChunkWriter,
} from "./chunks.ts";
import { encodeHeader, headerHash } from "./header.ts";
import { encodeDatabaseItem, encodeRecordItems } from "./items.ts";
import { sealerOf, type StreamKeys } from "./sealed_chunks.ts";
import type { CheckpointSource, CheckpointSummary } from "./source.ts";

export interface WriteCheckpointOptions {
  readonly random: Random;
  /** CHUNK_BYTES unless given. */
  readonly chunkBytes?: number;
  /** Needed from the storage cutover on: the stream is sealed then. */
  readonly keys?: StreamKeys;
}

/** What the temporary file of a checkpoint ends with. */
const TEMPORARY = ".tmp";

/**
 * Writes all of `source`, and closes it, also when it throws.
 *
 * @throws {NodeError} What the source or the sink throws; the bytes so far are
 * no valid stream.
 */
export async function writeCheckpoint(
  source: CheckpointSource,
  sink: ByteSink,
  options: WriteCheckpointOptions,
): Promise<CheckpointSummary> {
  try {
    return await writeStream(source, sink, options);
  } finally {
    await source.close();
  }
}

/**
 * As `writeCheckpoint`, to the new file `path`: whole and durable, or not there
 * at all. Until then its bytes are in `path`.tmp, which a crash leaves behind.
 */
export async function writeCheckpointFile(
  source: CheckpointSource,
  target: { readonly disk: Disk; readonly path: string },
  options: WriteCheckpointOptions,
): Promise<CheckpointSummary> {
  const { disk, path } = target;
  const temporary = `${path}${TEMPORARY}`;
  try {
    await disk.remove(temporary);
    const summary = await writeFile(source, { disk, path: temporary }, options);
    await disk.rename(temporary, path);
    await disk.syncDir(parentOf(path));
    return summary;
  } catch (error) {
    await source.close();
    // Why it failed matters more than why its rest stays.
    await disk.remove(temporary).catch(() => {});
    throw error;
  }
}

async function writeFile(
  source: CheckpointSource,
  { disk, path }: { readonly disk: Disk; readonly path: string },
  options: WriteCheckpointOptions,
): Promise<CheckpointSummary> {
  const file = await disk.open(path, "create");
  try {
    let at = 0;
    const write = async (bytes: Uint8Array) => {
      await file.writeAt(at, bytes);
      at += bytes.length;
    };
    const summary = await writeCheckpoint(source, { write }, options);
    await file.sync();
    return summary;
  } finally {
    await file.close();
  }
}

async function writeStream(
  source: CheckpointSource,
  sink: ByteSink,
  options: WriteCheckpointOptions,
): Promise<CheckpointSummary> {
  const { random, chunkBytes = CHUNK_BYTES } = options;
  assert(
    chunkBytes >= CHUNK_BYTES_MIN && chunkBytes <= CHUNK_BYTES_MAX,
    "a chunk size within its limits",
  );
  let bytes = 0;
  const counted = {
    write: (part: Uint8Array) => {
      bytes += part.length;
      return sink.write(part);
    },
  };
  const { state } = source;
  const databases = [...state.fsm.databases].sort((a, b) => a[1] - b[1]);
  const stream = {
    ...{ state, databases: databases.length, chunkBytes },
    salt: random.bytes(32),
  };
  const header = encodeHeader(stream);
  const digest = headerHash(header);
  const sealer = await sealerOf(stream, digest, options.keys);
  assert(sealer !== null, "a sealed stream is written with keys");
  await counted.write(header);
  const chunks = new ChunkWriter(counted, { sealer, chunkBytes });
  for (const [name, number] of databases) {
    await chunks.write(encodeDatabaseItem({ name, number }));
  }
  let records = 0;
  for await (const page of source.records()) {
    await chunks.write(encodeRecordItems(page));
    records += page.length;
  }
  await chunks.end();
  return { bytes, records, digest };
}
