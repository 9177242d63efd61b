import { assert } from "../base/assert.ts";
import { type Bytes, setUint64, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import type { Backing } from "./backing.ts";
import {
  StoreRowDamagedError,
  StoreVersionUnsupportedError,
} from "./errors.ts";
import { checkedBody, CHECKSUM_BYTES, safeUint64 } from "./row_body.ts";
import { NO_CLEARTEXT_KEY } from "./row_key.ts";

const ROW = "no-cleartext mark";
const VERSION = 1;
const BODY_BYTES = 9;

/**
 * The mark that no record of this store is in cleartext any more.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       8      storage cutover index
 *     9       4      CRC-32C of all before
 */
export function encodeNoCleartext(storageCutoverIndex: number): Bytes {
  assert(storageCutoverIndex > 0, "records are sealed from a cutover on");
  const bytes = new Uint8Array(BODY_BYTES + CHECKSUM_BYTES);
  bytes[0] = VERSION;
  const view = viewOf(bytes);
  setUint64(view, 1, storageCutoverIndex);
  view.setUint32(BODY_BYTES, crc32c(bytes.subarray(0, BODY_BYTES)));
  return bytes;
}

/**
 * The storage cutover that the mark goes with.
 *
 * @throws {StoreVersionUnsupportedError} Written by a later program.
 * @throws {StoreRowDamagedError} Anything else that is not a mark.
 */
export function decodeNoCleartext(bytes: Uint8Array): number {
  const version = bytes[0];
  if (version === undefined) throw new StoreRowDamagedError(ROW, "empty");
  if (version !== VERSION) {
    throw new StoreVersionUnsupportedError(version, VERSION);
  }
  const body = checkedBody(ROW, bytes, BODY_BYTES);
  if (body.length !== BODY_BYTES) {
    throw new StoreRowDamagedError(ROW, "wrong length");
  }
  const index = safeUint64(ROW, viewOf(body), 1);
  if (index === 0) throw new StoreRowDamagedError(ROW, "of no cutover");
  return index;
}

/**
 * Whether the store has the mark of its cutover.
 *
 * @throws {NodeError} As `decodeNoCleartext`.
 */
export async function readNoCleartext(
  backing: Backing,
  storageCutoverIndex: number,
): Promise<boolean> {
  const [row] = await backing.get([NO_CLEARTEXT_KEY]);
  if (row === null || row === undefined) return false;
  return decodeNoCleartext(row) === storageCutoverIndex;
}
