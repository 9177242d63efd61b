import type { Bytes } from "../../../src/base/bytes.ts";
import {
  challengeAad,
  dekWrapAad,
  importKek,
  kekIdOf,
  unwrapSecret,
  wrapSecret,
} from "../../../src/crypto/kek_wrap.ts";
import {
  KekUnavailableError,
  WrapRejectedError,
} from "../../../src/keys/kek_errors.ts";
import type { Kek, WrapContext } from "../../../src/keys/port.ts";
import { SimRandom } from "../../sim/io/random.ts";

/** A KEK of 32 equal bytes, as a file would hold it. */
export class TestKek implements Kek {
  /** The provider does not answer. */
  isDown = false;
  wraps = 0;
  unwraps = 0;
  /** What was handed out: the caller wipes it. */
  readonly secrets: Bytes[] = [];
  readonly id: string;
  readonly #key: CryptoKey;
  readonly #random: SimRandom;

  private constructor(id: string, key: CryptoKey, seed: number) {
    this.id = id;
    this.#key = key;
    this.#random = new SimRandom(seed);
  }

  static async of(byte: number, id?: string): Promise<TestKek> {
    const raw = kekBytes(byte);
    const own = id ?? `file:${await kekIdOf(raw)}`;
    return new TestKek(own, await importKek(raw), byte);
  }

  async wrap(secret: Bytes, context: WrapContext): Promise<Bytes> {
    this.wraps += 1;
    this.#mustAnswer();
    this.secrets.push(secret);
    const nonce = this.#random.bytes(12);
    return await wrapSecret(this.#key, nonce, secret, aadOf(context));
  }

  async unwrap(wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    this.unwraps += 1;
    this.#mustAnswer();
    const secret = await unwrapSecret(this.#key, wrapped, aadOf(context));
    if (secret === null) throw new WrapRejectedError(this.id);
    this.secrets.push(secret);
    return secret;
  }

  #mustAnswer(): void {
    if (!this.isDown) return;
    throw new KekUnavailableError(this.id, "unreachable", "a test", "Wait");
  }
}

export function kekBytes(byte: number): Bytes {
  return new Uint8Array(32).fill(byte);
}

function aadOf(context: WrapContext): Bytes {
  return context.kind === "dek" ? dekWrapAad(context) : challengeAad(context);
}
