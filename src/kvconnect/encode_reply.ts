import type { Bytes } from "../base/bytes.ts";
import type { Versionstamp } from "../fsm/types.ts";
import type { ReadEntry } from "../node/port.ts";
import { REPLY_CHUNK_BYTES } from "./limits.ts";
import { lengthFieldSize, ProtoWriter, varintSize } from "./proto_writer.ts";

/*
 * Replies of data calls. Hand-written twins of gen/datapath_pb.ts, byte for
 * byte: fields in order of their numbers, defaults left out.
 */

const AW_SUCCESS = 1;
const AW_CHECK_FAILURE = 2;
const SR_SUCCESS = 1;
/** read_is_strongly_consistent = 4 and status = 8, true and SR_SUCCESS. */
const READ_TRAILER_BYTES = 4;

export type ReadRanges = readonly (readonly ReadEntry[])[];

/** AtomicWriteOutput of a commit. */
export function encodeCommitted(versionstamp: Versionstamp): Bytes {
  const writer = new ProtoWriter(2 + lengthFieldSize(versionstamp.length));
  writer.varintField(1, AW_SUCCESS);
  writer.bytesField(2, versionstamp);
  return writer.finish();
}

/** AtomicWriteOutput of failed checks, by their zero-based indexes. */
export function encodeCheckFailure(failedChecks: readonly number[]): Bytes {
  let packed = 0;
  for (const index of failedChecks) packed += varintSize(index);
  const writer = new ProtoWriter(2 + (packed && lengthFieldSize(packed)));
  writer.varintField(1, AW_CHECK_FAILURE);
  if (packed > 0) writer.lengthField(4, packed);
  for (const index of failedChecks) writer.varint(index);
  return writer.finish();
}

/** Size in bytes of the SnapshotReadOutput of `ranges`. */
export function readReplySize(ranges: ReadRanges): number {
  let size = READ_TRAILER_BYTES;
  for (const entries of ranges) size += lengthFieldSize(rangeSize(entries));
  return size;
}

/**
 * SnapshotReadOutput of `ranges`, success and strong, in chunks of about
 * REPLY_CHUNK_BYTES; one chunk when `size` (of `readReplySize`) is below.
 */
export function* encodeReadReply(
  ranges: ReadRanges,
  size: number,
): Generator<Bytes, undefined> {
  let rest = size;
  let writer = new ProtoWriter(Math.min(rest, REPLY_CHUNK_BYTES));
  for (const entries of ranges) {
    // The head of a range takes at most 6 bytes; small, so it may be a chunk.
    const head = rangeSize(entries);
    const headBytes = 1 + varintSize(head);
    if (writer.length + headBytes > REPLY_CHUNK_BYTES) yield* next(0);
    writer.lengthField(1, head);
    for (const entry of entries) {
      const bytes = lengthFieldSize(entrySize(entry));
      if (writer.length + bytes > REPLY_CHUNK_BYTES) yield* next(bytes);
      writeEntry(writer, 1, entry);
    }
  }
  if (writer.length + READ_TRAILER_BYTES > REPLY_CHUNK_BYTES) yield* next(0);
  writer.varintField(4, 1);
  writer.varintField(8, SR_SUCCESS);
  yield writer.finish();

  function* next(bytesMin: number): Generator<Bytes, undefined> {
    rest -= writer.length;
    yield writer.finish();
    const chunk = Math.max(bytesMin, REPLY_CHUNK_BYTES);
    writer = new ProtoWriter(Math.min(rest, chunk));
  }
}

/**
 * One frame of a watch: u32 length, little-endian ‖ WatchOutput. `entries` has
 * one item per watched key, `null` for no entry.
 *
 * Every key is marked as changed: Deno shows one that is not as deleted
 * (measured on 2.5.7 and 2.9.6), and finds out itself which ones did change.
 */
export function encodeWatchFrame(
  entries: readonly (ReadEntry | null)[],
): Bytes {
  let size = 2;
  for (const entry of entries) size += lengthFieldSize(watchKeySize(entry));
  const writer = new ProtoWriter(4 + size);
  writer.uint32LittleEndian(size);
  writer.varintField(1, SR_SUCCESS);
  for (const entry of entries) {
    writer.lengthField(2, watchKeySize(entry));
    writer.varintField(1, 1);
    if (entry !== null) writeEntry(writer, 2, entry);
  }
  return writer.finish();
}

/** A frame of no message: clients ignore it. */
export function keepAliveFrame(): Bytes {
  return new Uint8Array(4);
}

function watchKeySize(entry: ReadEntry | null): number {
  return 2 + (entry === null ? 0 : lengthFieldSize(entrySize(entry)));
}

function rangeSize(entries: readonly ReadEntry[]): number {
  let size = 0;
  for (const entry of entries) size += lengthFieldSize(entrySize(entry));
  return size;
}

function entrySize(entry: ReadEntry): number {
  return fieldSize(entry.key) + fieldSize(entry.value.data) + 2 +
    fieldSize(entry.versionstamp);
}

function fieldSize(bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : lengthFieldSize(bytes.length);
}

function writeEntry(
  writer: ProtoWriter,
  field: number,
  entry: ReadEntry,
): void {
  writer.lengthField(field, entrySize(entry));
  if (entry.key.length > 0) writer.bytesField(1, entry.key);
  if (entry.value.data.length > 0) writer.bytesField(2, entry.value.data);
  writer.varintField(3, entry.value.encoding);
  writer.bytesField(4, entry.versionstamp);
}
