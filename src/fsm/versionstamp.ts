import { assert } from "../base/assert.ts";
import { type Bytes, setUint64, toHex, utf8, viewOf } from "../base/bytes.ts";
import { VERSIONSTAMP_BYTES } from "./types.ts";

const POSITION_OFFSET = 8;
const STRING_PART = 0x02;
const PART_END = 0x00;

/**
 * Returns the versionstamp of the write at `position` of the entry's batch.
 *
 *     offset  bytes  field
 *     0       8      entry index u64
 *     8       2      position u16
 */
export function versionstampOf(index: number, position: number): Bytes {
  assert(index > 0, "a versionstamp is never zero");
  const bytes = new Uint8Array(VERSIONSTAMP_BYTES);
  const view = viewOf(bytes);
  setUint64(view, 0, index);
  view.setUint16(POSITION_OFFSET, position);
  return bytes;
}

/**
 * Returns `key` followed by `versionstamp` as a string part of 20 hex digits.
 *
 * Source: KV Connect M_SET_SUFFIX_VERSIONSTAMPED_KEY.
 */
export function suffixKey(key: Uint8Array, versionstamp: Uint8Array): Bytes {
  const digits = utf8(toHex(versionstamp));
  const suffixed = new Uint8Array(key.length + digits.length + 2);
  suffixed.set(key);
  suffixed[key.length] = STRING_PART;
  suffixed.set(digits, key.length + 1);
  suffixed[suffixed.length - 1] = PART_END;
  return suffixed;
}
