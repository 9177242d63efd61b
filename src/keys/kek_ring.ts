import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  type KeyId,
  type KeyPurpose,
  type KeyWrap,
  type WrappedKey,
  WRAPS_MAX,
} from "../base/data_key.ts";
import { NodeError } from "../base/error.ts";
import type { Random } from "../io/random.ts";
import {
  drawDataKey,
  type Opening,
  rewrapDataKey,
  wrapUnder,
} from "./data_key.ts";
import { KekUnknownError } from "./errors.ts";
import { KekUnavailableError, WrapRejectedError } from "./kek_errors.ts";
import { probeKek } from "./kek_probe.ts";
import type { CustodyGap, Kek, WrapContext } from "./port.ts";

/** The KEKs of a node, the primary one first. */
export class KekRing {
  readonly ids: readonly string[];
  readonly #keks: readonly Kek[];
  readonly #random: Random;

  constructor(keks: readonly Kek[], random: Random) {
    this.ids = keks.map(({ id }) => id);
    assert(new Set(this.ids).size === keks.length, "no KEK comes twice");
    assert(keks.length <= WRAPS_MAX, "a key has room for a wrap of each KEK");
    this.#keks = keks;
    this.#random = random;
  }

  /** What data keys are opened with. */
  opening(clusterId: Bytes, known: readonly WrappedKey[]): Opening {
    return { clusterId, keks: this.#keks, known };
  }

  /** Draws a data key and wraps it under every KEK. */
  async draw(given: {
    readonly clusterId: Bytes;
    readonly purpose: KeyPurpose;
    readonly taken: (id: KeyId) => boolean;
    readonly createdMs: number;
  }): Promise<WrappedKey> {
    if (this.#keks.length === 0) throw new KekUnknownError(null, []);
    const parts = { random: this.#random, keks: this.#keks };
    return await drawDataKey(parts, given);
  }

  /** The key's wraps under these KEKs; none: the primary one. */
  async rewrap(
    clusterId: Bytes,
    key: WrappedKey,
    ids: readonly string[],
  ): Promise<readonly KeyWrap[]> {
    const [primary] = this.#keks;
    if (primary === undefined) throw new KekUnknownError(null, []);
    const under = ids.length === 0 ? [primary] : this.#named(ids);
    return await rewrapDataKey(this.opening(clusterId, [key]), key, under);
  }

  /**
   * Wraps a challenge under each of these KEKs; none: under all that answer.
   *
   * @throws {KekUnavailableError} One of these, or all, do not answer.
   * @throws {KekUnknownError}
   */
  async wrapChallenge(
    challenge: Bytes,
    context: WrapContext,
    ids: readonly string[],
  ): Promise<readonly KeyWrap[]> {
    if (ids.length > 0) {
      return await wrapUnder(this.#named(ids), challenge, context);
    }
    const wraps: KeyWrap[] = [];
    let unavailable: KekUnavailableError | null = null;
    for (const kek of this.#keks) {
      try {
        wraps.push(...await wrapUnder([kek], challenge, context));
      } catch (error) {
        if (!(error instanceof KekUnavailableError)) throw error;
        unavailable ??= error;
      }
    }
    if (wraps.length === 0 && unavailable !== null) throw unavailable;
    return wraps;
  }

  /** Opens a challenge by a wrap that names a KEK here; `null`: none opens. */
  async openChallenge(
    wraps: readonly KeyWrap[],
    context: WrapContext,
  ): Promise<Bytes | null> {
    for (const { kek: id, wrapped } of wraps) {
      const kek = this.#keks.find((item) => item.id === id);
      if (kek === undefined) continue;
      try {
        return await kek.unwrap(wrapped, context);
      } catch (error) {
        const isAnswer = error instanceof KekUnavailableError ||
          error instanceof WrapRejectedError;
        if (!isAnswer) throw error;
      }
    }
    return null;
  }

  /** Tries the KEKs; `null` when one does its work. */
  async gap(): Promise<CustodyGap | null> {
    let first: Error | null = null;
    for (const kek of this.#keks) {
      try {
        await probeKek(kek, this.#random);
        return null;
      } catch (cause) {
        if (!(cause instanceof NodeError)) throw cause;
        first ??= cause;
      }
    }
    return { kind: "kek", cause: first };
  }

  #named(ids: readonly string[]): readonly Kek[] {
    return ids.map((id) => {
      const kek = this.#keks.find((item) => item.id === id);
      if (kek === undefined) throw new KekUnknownError(id, this.ids);
      return kek;
    });
  }
}
