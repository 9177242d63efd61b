import type { KeyId } from "../../base/data_key.ts";
import { HELLO_MS_MAX } from "../../transport/limits.ts";
import type { PeerEpoch } from "../../transport/port.ts";

/** A handshake that began so long ago has ended, on either side. */
const HANDSHAKE_MS_MAX = 2 * HELLO_MS_MAX;

/**
 * The epochs that this node says in handshakes.
 *
 * They grow while handshakes are under way, and others may hear of a new one
 * before they judge a hello that still says the old one.
 */
export class EpochClaims {
  readonly #epochs: () => ReadonlyMap<KeyId, number>;
  readonly #monotonicMs: () => number;
  #said: string | null = null;
  #saidMs = -Infinity;
  /** When something else than what is so now was said last. */
  #outdatedMs = -Infinity;

  constructor(
    epochs: () => ReadonlyMap<KeyId, number>,
    monotonicMs: () => number,
  ) {
    this.#epochs = epochs;
    this.#monotonicMs = monotonicMs;
  }

  /** What to say in a hello of this moment. */
  say(): readonly PeerEpoch[] {
    const epochs = this.#now();
    const text = textOf(epochs);
    if (this.#said !== null && text !== this.#said) {
      this.#outdatedMs = this.#saidMs;
    }
    this.#said = text;
    this.#saidMs = this.#monotonicMs();
    return epochs;
  }

  /** Whether a refusal of this moment can be about an older hello. */
  get mayBeOutdated(): boolean {
    if (textOf(this.#now()) !== this.#said) return true;
    return this.#monotonicMs() - this.#outdatedMs < HANDSHAKE_MS_MAX;
  }

  #now(): readonly PeerEpoch[] {
    return [...this.#epochs()]
      .map(([keyId, epoch]) => ({ keyId, epoch }))
      .sort((a, b) => a.keyId - b.keyId);
  }
}

function textOf(epochs: readonly PeerEpoch[]): string {
  return epochs.map(({ keyId, epoch }) => `${keyId}/${epoch}`).join();
}
