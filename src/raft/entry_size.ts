import type { Entry } from "./types.ts";

/**
 * Bytes `entry` is counted with in message and apply budgets.
 *
 * The protobuf size of the entry: a tag byte and a varint for each of type,
 * term and index that is not zero, a tag, a length and the data if not empty.
 */
export function encodingSize(entry: Entry): number {
  let size = 0;
  if (entry.type !== 0) size += 1 + varintSize(entry.type);
  if (entry.term !== 0) size += 1 + varintSize(entry.term);
  if (entry.index !== 0) size += 1 + varintSize(entry.index);
  const length = entry.data.length;
  if (length !== 0) size += 1 + varintSize(length) + length;
  return size;
}

/** Sum of `encodingSize` over `entries`. */
export function encodingSizeOf(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) size += encodingSize(entry);
  return size;
}

/** Bytes of data in `entries`: what uncommitted and in-flight limits count. */
export function payloadSizeOf(entries: readonly Entry[]): number {
  let size = 0;
  for (const entry of entries) size += entry.data.length;
  return size;
}

/**
 * The longest prefix of `entries` whose encoding size stays within `bytesMax`,
 * never fewer than one entry.
 */
export function limitSize(
  entries: readonly Entry[],
  bytesMax: number,
): readonly Entry[] {
  let size = 0;
  for (const [at, entry] of entries.entries()) {
    size += encodingSize(entry);
    if (size > bytesMax && at > 0) return entries.slice(0, at);
  }
  return entries;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}
