import type { Bytes } from "../base/bytes.ts";
import type { KeyId, KeyPurpose } from "../base/data_key.ts";
import { equalConstantTime } from "../crypto/constant_time.ts";
import type { Dek } from "../crypto/dek.ts";
import { isCommittedTo, type KeyIdentity } from "./data_key.ts";
import {
  CommitmentMismatchError,
  KeyConflictError,
  KeyUnknownError,
} from "./errors.ts";

interface HeldKey extends KeyIdentity {
  readonly dek: Dek;
}

/**
 * The data keys that are open in this process.
 *
 * 1. An id is set once: what it holds does not change until it is forgotten.
 * 2. What it holds is what the key commits to.
 * 3. Printing one shows no key.
 */
export class Keystore {
  readonly #keys: Map<KeyId, HeldKey>;

  constructor(from: Keystore | null = null) {
    this.#keys = new Map(from === null ? [] : from.#keys);
  }

  /**
   * Keeps a key; the same again changes nothing.
   *
   * @throws {KeyConflictError} Its id is another key's.
   * @throws {CommitmentMismatchError} `dek` is another key.
   */
  async put(clusterId: Bytes, key: KeyIdentity, dek: Dek): Promise<void> {
    if (!await isCommittedTo(clusterId, key, dek)) {
      throw new CommitmentMismatchError(key.id);
    }
    if (this.holds(key)) return;
    const { id, purpose, commitment } = key;
    this.#keys.set(id, { id, purpose, commitment: commitment.slice(), dek });
  }

  /** Whether it is here. @throws {KeyConflictError} Its id is another key's. */
  holds(key: KeyIdentity): boolean {
    const held = this.#keys.get(key.id);
    if (held === undefined) return false;
    if (held.purpose !== key.purpose) {
      throw new KeyConflictError(key.id, "purpose");
    }
    if (!equalConstantTime(held.commitment, key.commitment)) {
      throw new KeyConflictError(key.id, "commitment");
    }
    return true;
  }

  /** @throws {KeyUnknownError} None here, or of another purpose. */
  get(id: KeyId, purpose: KeyPurpose): Dek {
    const held = this.#keys.get(id);
    if (held?.purpose !== purpose) throw new KeyUnknownError(id, purpose);
    return held.dek;
  }

  get ids(): readonly KeyId[] {
    return [...this.#keys.keys()];
  }

  forget(id: KeyId): void {
    this.#keys.delete(id);
  }
}
