import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, equalBytes, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import { NodeError } from "../base/error.ts";
import {
  decodeEncryptionState,
  encodeEncryptionState,
  ENCRYPTION_STATE_BYTES_MAX,
} from "../fsm/encryption_codec.ts";
import type { EncryptionState } from "../fsm/types.ts";
import {
  StoreRowDamagedError,
  StoreVersionUnsupportedError,
} from "./errors.ts";
import { checkedBody, CHECKSUM_BYTES } from "./row_body.ts";

/** An encryption state with keys, and this node's MAC of it. */
export interface StoredEncryption {
  readonly encryption: EncryptionState;
  /** 32 bytes over `encryptionRowBody`. Whoever has the keys checks it. */
  readonly encryptionMac: Bytes;
}

const ROW = "encryption state";
const VERSION = 1;
const MAC_BYTES = 32;
const MAC_AT = 3;
const HEAD_BYTES = MAC_AT + MAC_BYTES;
/** A row of the backing store has 65,536 bytes. */
const PIECE_BYTES = 60_000;

/** Rows that a state takes at most: 5. */
export const ENCRYPTION_PARTS_MAX = Math.ceil(
  ENCRYPTION_STATE_BYTES_MAX / PIECE_BYTES,
);
/** Bytes of all the rows of one state, at most. */
export const ENCRYPTION_ROWS_BYTES_MAX = ENCRYPTION_STATE_BYTES_MAX +
  ENCRYPTION_PARTS_MAX * (HEAD_BYTES + CHECKSUM_BYTES);

/** Exactly what the MAC beside `state` covers. */
export function encryptionRowBody(state: EncryptionState): Bytes {
  return encodeEncryptionState(state);
}

/**
 * The rows of a state with keys, in order; a state without any has none.
 *
 *     offset  bytes  field
 *     0       1      version = 1
 *     1       1      number of the part, from 0
 *     2       1      parts, 1 to 5
 *     3       32     MAC of the whole state, the same in each
 *     35      n      piece of the encoded state: 60,000 bytes in all parts but
 *                    the last, 1 to 60,000 in that
 *     35 + n  4      CRC-32C of all before
 */
export function encodeEncryption(
  { encryption, encryptionMac }: StoredEncryption,
): readonly Bytes[] {
  assert(encryptionMac.length === MAC_BYTES, "a MAC has 32 bytes");
  const body = encryptionRowBody(encryption);
  assert(body.length > 0, "a state with keys");
  const count = Math.ceil(body.length / PIECE_BYTES);
  assert(count <= ENCRYPTION_PARTS_MAX, "a state fits into its rows");
  return Array.from({ length: count }, (_, number) => {
    const from = number * PIECE_BYTES;
    const piece = body.subarray(from, from + PIECE_BYTES);
    const bytes = new Uint8Array(HEAD_BYTES + piece.length + CHECKSUM_BYTES);
    bytes.set([VERSION, number, count]);
    bytes.set(encryptionMac, MAC_AT);
    bytes.set(piece, HEAD_BYTES);
    const until = HEAD_BYTES + piece.length;
    viewOf(bytes).setUint32(until, crc32c(bytes.subarray(0, until)));
    return bytes;
  });
}

/**
 * Reads what `encodeEncryption` wrote: all of the rows, in order.
 *
 * @throws {StoreVersionUnsupportedError} Written by a later program.
 * @throws {StoreRowDamagedError} Anything else that is not such a state.
 */
export function decodeEncryption(
  rows: readonly Uint8Array[],
): StoredEncryption {
  const pieces = rows.map((row, number) => {
    const { body, count } = readPart(row, number);
    if (count !== rows.length) throw damaged("parts missing or too many");
    const bytes = body.length - HEAD_BYTES;
    const isLast = number === count - 1;
    if (bytes > PIECE_BYTES || (!isLast && bytes < PIECE_BYTES)) {
      throw damaged("a part of a wrong length");
    }
    return {
      mac: body.slice(MAC_AT, HEAD_BYTES),
      piece: body.slice(HEAD_BYTES),
    };
  });
  const [first] = pieces;
  if (first === undefined) throw damaged("missing");
  if (pieces.some(({ mac }) => !equalBytes(mac, first.mac))) {
    throw damaged("parts of several states");
  }
  const body = concatBytes(...pieces.map(({ piece }) => piece));
  return { encryption: readState(body), encryptionMac: first.mac };
}

function readPart(
  row: Uint8Array,
  number: number,
): { readonly body: Bytes; readonly count: number } {
  const version = row[0];
  if (version === undefined) throw damaged("empty");
  if (version !== VERSION) {
    throw new StoreVersionUnsupportedError(version, VERSION);
  }
  const body = checkedBody(ROW, row, HEAD_BYTES + 1);
  if (body[1] !== number) throw damaged("parts out of order");
  return { body, count: body[2] ?? 0 };
}

function readState(body: Bytes): EncryptionState {
  try {
    return decodeEncryptionState(body);
  } catch (cause) {
    if (!(cause instanceof NodeError)) throw cause;
    throw damaged("not the form it is written in", { cause });
  }
}

function damaged(fault: string, options?: ErrorOptions): StoreRowDamagedError {
  return new StoreRowDamagedError(ROW, fault, options);
}
