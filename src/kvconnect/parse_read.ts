import type { ReadRange } from "../node/port.ts";
import { decodeSnapshotRead, type WireReadRange } from "./decode_request.ts";
import { RequestInvalidError } from "./errors.ts";
import { READ_ENTRIES_MAX } from "./limits.ts";

/**
 * Reads the body of a snapshot_read, bounds up to `keyBytesMax`.
 *
 * @throws {RequestInvalidError} Malformed, or against a limit.
 */
export function parseSnapshotRead(
  body: Uint8Array,
  keyBytesMax: number,
): readonly ReadRange[] {
  const ranges: readonly WireReadRange[] = decodeSnapshotRead(body);
  let entries = 0;
  for (const range of ranges) {
    if (range.start.length > keyBytesMax || range.end.length > keyBytesMax) {
      throw new RequestInvalidError(
        `Key too large for read (max ${keyBytesMax} bytes)`,
      );
    }
    if (range.limit < 1) {
      throw new RequestInvalidError(
        `Invalid limit of a range: ${range.limit} is not 1 or more`,
      );
    }
    entries += range.limit;
  }
  if (entries > READ_ENTRIES_MAX) {
    throw new RequestInvalidError(
      `Too many entries (max ${READ_ENTRIES_MAX})`,
    );
  }
  return ranges;
}
