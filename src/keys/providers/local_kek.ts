import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { AES_KEY_BYTES, GCM_NONCE_BYTES } from "../../crypto/aes_gcm.ts";
import {
  importKek,
  kekIdOf,
  unwrapSecret,
  wrapSecret,
} from "../../crypto/kek_wrap.ts";
import { wipe } from "../../crypto/wipe.ts";
import type { Random } from "../../io/random.ts";
import { WrapRejectedError } from "../kek_errors.ts";
import type { Kek, WrapContext } from "../port.ts";
import { wrapAad } from "./wrap_aad.ts";

/** Length of a KEK that this process holds itself. */
export const KEK_BYTES = AES_KEY_BYTES;

/**
 * A KEK whose bytes came into this process: of a file, a variable or a
 * program. The same bytes have the same id, however they came.
 */
export class LocalKek implements Kek {
  readonly #key: CryptoKey;
  readonly #random: Random;

  private constructor(readonly id: string, key: CryptoKey, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  /** Takes over the 32 bytes of `raw` and wipes them. */
  static async of(raw: Bytes, random: Random): Promise<LocalKek> {
    assert(raw.length === KEK_BYTES, "a KEK has 32 bytes");
    try {
      const id = `file:${await kekIdOf(raw)}`;
      return new LocalKek(id, await importKek(raw), random);
    } finally {
      wipe(raw);
    }
  }

  async wrap(secret: Bytes, context: WrapContext): Promise<Bytes> {
    const nonce = this.#random.bytes(GCM_NONCE_BYTES);
    return await wrapSecret(this.#key, nonce, secret, wrapAad(context));
  }

  async unwrap(wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    const secret = await unwrapSecret(this.#key, wrapped, wrapAad(context));
    if (secret === null) throw new WrapRejectedError(this.id);
    return secret;
  }
}
