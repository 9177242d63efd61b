import { type Bytes, concatBytes, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import { NodeError } from "../base/error.ts";
import {
  decodeRolloutState,
  encodeRolloutState,
  ROLLOUT_BYTES_MAX,
} from "../fsm/rollout_codec.ts";
import type { RolloutState } from "../fsm/types.ts";
import {
  StoreRowDamagedError,
  StoreVersionUnsupportedError,
} from "./errors.ts";
import { checkedBody, CHECKSUM_BYTES } from "./row_body.ts";

const ROW = "rollout";
const VERSION = 1;

/** Length of the longest rollout row. */
export const ROLLOUT_ROW_BYTES_MAX = 1 + ROLLOUT_BYTES_MAX + CHECKSUM_BYTES;

/**
 * The rollout row; none is the same as one in which nothing happened.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       n      the encoded rollout
 *     1 + n   4      CRC-32C of all before
 */
export function encodeRollout(rollout: RolloutState): Bytes {
  const body = concatBytes(
    Uint8Array.of(VERSION),
    encodeRolloutState(rollout),
  );
  const checksum = new Uint8Array(CHECKSUM_BYTES);
  viewOf(checksum).setUint32(0, crc32c(body));
  return concatBytes(body, checksum);
}

/**
 * Reads what `encodeRollout` wrote.
 *
 * @throws {StoreVersionUnsupportedError} Written by a later program.
 * @throws {StoreRowDamagedError} Anything else that is not a rollout row.
 */
export function decodeRollout(bytes: Uint8Array): RolloutState {
  const version = bytes[0];
  if (version === undefined) throw new StoreRowDamagedError(ROW, "empty");
  if (version !== VERSION) {
    throw new StoreVersionUnsupportedError(version, VERSION);
  }
  const body = checkedBody(ROW, bytes, 1);
  try {
    return decodeRolloutState(body.subarray(1));
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause;
    throw new StoreRowDamagedError(ROW, "not the form it is written in", {
      cause,
    });
  }
}
