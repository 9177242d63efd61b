import { type Bytes, getUint64, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import { StoreRowDamagedError } from "./errors.ts";

/** Length of the CRC-32C that ends an internal row. */
export const CHECKSUM_BYTES = 4;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * What the checksum at the end of `bytes` vouches for; at least `bytesMin`.
 *
 * @throws {StoreRowDamagedError} Of the row called `row`.
 */
export function checkedBody(
  row: string,
  bytes: Uint8Array,
  bytesMin: number,
): Bytes {
  const until = bytes.length - CHECKSUM_BYTES;
  if (until < bytesMin) throw new StoreRowDamagedError(row, "too short");
  const body = bytes.slice(0, until);
  if (viewOf(bytes).getUint32(until) !== crc32c(body)) {
    throw new StoreRowDamagedError(row, "wrong checksum");
  }
  return body;
}

/** @throws {StoreRowDamagedError} For a number above 2^53 - 1. */
export function safeUint64(
  row: string,
  view: DataView,
  offset: number,
): number {
  const value = getUint64(view, offset);
  if (value === null) throw new StoreRowDamagedError(row, "number too big");
  return value;
}

/** @throws {StoreRowDamagedError} For bytes that are not UTF-8. */
export function utf8Text(row: string, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new StoreRowDamagedError(row, "not UTF-8");
  }
}
