import type { Bytes } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import type { StorageSession } from "../crypto/storage_envelope.ts";
import type { SessionRow } from "./session_row.ts";

/**
 * Makes a session's salt durable in one store, or finds it there; false when
 * that store has another salt for the session. Waits for no commit.
 */
export type InsertSession = (row: SessionRow) => Promise<boolean>;

/** Whoever holds the data keys: what a store seals and opens records with. */
export interface RecordKeys {
  /**
   * The session to seal under now, its row durable where `insert` puts it; at
   * once when it is open. Ask for each record: a session that is due is followed
   * by another. `active` is the storage key by the store's state; another one is
   * taken when that is spent and the node knows its successor.
   *
   * @throws {NodeError} KEYS_KEY_UNKNOWN, KEYS_EPOCH_EXHAUSTED,
   * KEYS_SIDECAR_WRITE_FAILED, and what `insert` throws.
   */
  sealing(
    active: KeyId,
    insert: InsertSession,
  ): StorageSession | Promise<StorageSession>;
  /**
   * The key of a session that this store has a row of; derived anew each time.
   *
   * @throws {KeyUnknownError}
   */
  opening(session: SessionRow): Promise<CryptoKey>;
  /**
   * A name for a place (`placeBytes`) that is safe in errors and logs: the same
   * on every member, and no guess at a key can be tried on it.
   *
   * @throws {KeyUnknownError}
   */
  nameOf(stateKey: KeyId, place: Bytes): Promise<string>;
}
