import type { KeyId } from "../base/data_key.ts";
import type { RecordKeys } from "./record_keys.ts";
import type { SessionPlace, SessionRow } from "./session_row.ts";

/** Keys of sessions that are kept derived; more are derived again. */
const SESSION_KEYS_MAX = 1_024;

/** What a store looks its own sessions up in. */
export type FindSession = (place: SessionPlace) => Promise<SessionRow | null>;

/** The keys of this store's sessions, for opening. */
export class SessionKeys {
  readonly #keys: Pick<RecordKeys, "opening">;
  readonly #find: FindSession;
  readonly #max: number;
  /** Oldest first. */
  readonly #kept = new Map<string, Promise<CryptoKey | null>>();
  #known: ReadonlyMap<KeyId, unknown> | null = null;

  constructor(
    keys: Pick<RecordKeys, "opening">,
    find: FindSession,
    max = SESSION_KEYS_MAX,
  ) {
    this.#keys = keys;
    this.#find = find;
    this.#max = max;
  }

  /**
   * `null` when this store has no such session.
   *
   * @throws {NodeError} KEYS_KEY_UNKNOWN, and what the store throws.
   */
  of(place: SessionPlace): Promise<CryptoKey | null> {
    const name = `${place.keyId} ${place.node16} ${place.epoch}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const key = this.#derive(place);
    this.#kept.set(name, key);
    if (this.#kept.size > this.#max) {
      const [oldest = name] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    // Only what was found stays true.
    const forget = () => {
      if (this.#kept.get(name) === key) this.#kept.delete(name);
    };
    key.then((found) => found === null && forget(), forget);
    return key;
  }

  /** Forgets the sessions of keys that are gone. */
  keepOnly(keys: ReadonlyMap<KeyId, unknown>): void {
    if (keys === this.#known) return;
    this.#known = keys;
    for (const name of this.#kept.keys()) {
      if (!keys.has(Number.parseInt(name))) this.#kept.delete(name);
    }
  }

  async #derive(place: SessionPlace): Promise<CryptoKey | null> {
    const row = await this.#find(place);
    return row === null ? null : await this.#keys.opening(row);
  }
}
