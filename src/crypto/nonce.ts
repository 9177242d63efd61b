import { assert } from "../base/assert.ts";
import { type Bytes, getUint64, setUint64, viewOf } from "../base/bytes.ts";
import { GCM_NONCE_BYTES } from "./aes_gcm.ts";
import { writerBytes } from "./context.ts";
import { NoncesExhaustedError } from "./errors.ts";

/** From here on a node opens its next session under the key. */
export const NONCES_DUE = 2 ** 31;
/** What one session seals at most. Source: NIST SP 800-38D §8.3. */
export const NONCES_MAX = 2 ** 32;

/** Who sealed, in which of its sessions under the key, as its how-manieth. */
export interface Nonce {
  readonly node16: number;
  /** 1 to 0xFFFF. */
  readonly epoch: number;
  /** 1 to NONCES_MAX. */
  readonly count: number;
}

/**
 * Writes a nonce.
 *
 *     offset  bytes  field
 *     0       2      node16
 *     2       2      epoch
 *     4       8      count
 *
 * Source: NIST SP 800-38D §8.2.1, deterministic construction.
 */
export function encodeNonce({ node16, epoch, count }: Nonce): Bytes {
  assert(count >= 1 && count <= NONCES_MAX, "a count is 1 to 2^32");
  const bytes = new Uint8Array(GCM_NONCE_BYTES);
  bytes.set(writerBytes(node16, epoch));
  setUint64(viewOf(bytes), 4, count);
  return bytes;
}

/** Reads a nonce; `null` for 12 bytes that `encodeNonce` never writes. */
export function decodeNonce(bytes: Uint8Array): Nonce | null {
  if (bytes.length !== GCM_NONCE_BYTES) return null;
  const view = viewOf(bytes);
  const epoch = view.getUint16(2);
  const count = getUint64(view, 4);
  if (epoch === 0 || count === null) return null;
  if (count === 0 || count > NONCES_MAX) return null;
  return { node16: view.getUint16(0), epoch, count };
}

/**
 * Issues the nonces of one session, each once.
 *
 * Unique under the key as long as no two sequences of it share node16 and
 * epoch; where a restored disk breaks that, the session's salt gives another
 * key.
 */
export class NonceSequence {
  readonly #node16: number;
  readonly #epoch: number;
  #count: number;

  /** `last` is the count that was issued last. */
  constructor(node16: number, epoch: number, last = 0) {
    assert(last >= 0 && last <= NONCES_MAX, "a session has 2^32 nonces");
    writerBytes(node16, epoch);
    this.#node16 = node16;
    this.#epoch = epoch;
    this.#count = last;
  }

  /** @throws {NoncesExhaustedError} After 2^32 nonces. */
  next(): Bytes {
    if (this.#count >= NONCES_MAX) {
      throw new NoncesExhaustedError(this.#epoch, NONCES_MAX);
    }
    this.#count += 1;
    return encodeNonce({
      node16: this.#node16,
      epoch: this.#epoch,
      count: this.#count,
    });
  }

  /** Nonces issued so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether it is time for the next session. */
  get isDue(): boolean {
    return this.#count >= NONCES_DUE;
  }
}
