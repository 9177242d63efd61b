import type { Bytes } from "../../../src/base/bytes.ts";
import { toHex } from "../../../src/base/bytes.ts";
import type { KeyId } from "../../../src/base/data_key.ts";
import { importDek } from "../../../src/crypto/dek.ts";
import { NonceSequence } from "../../../src/crypto/nonce.ts";
import { deriveSessionKey } from "../../../src/crypto/session.ts";
import type { StorageSession } from "../../../src/crypto/storage_envelope.ts";
import { KeyUnknownError } from "../../../src/keys/errors.ts";
import type {
  InsertSession,
  RecordKeys,
} from "../../../src/store/record_keys.ts";
import type { SessionRow } from "../../../src/store/session_row.ts";

export const NODE16 = 0xd4c0;

interface TestSession {
  readonly row: SessionRow;
  readonly session: StorageSession;
  readonly stores: Set<InsertSession>;
}

/** Keys whose secrets are made of their ids, one session of each at a time. */
export class TestRecordKeys implements RecordKeys {
  readonly forgotten = new Set<KeyId>();
  /** Called before a session is opened. */
  beforeOpening: () => Promise<void> | void = () => {};
  derived = 0;
  #epoch: number;
  readonly #clusterId: Bytes;
  readonly #current = new Map<KeyId, Promise<TestSession>>();
  readonly #open = new Map<KeyId, TestSession>();

  constructor(clusterId: Bytes, epoch = 1) {
    this.#clusterId = clusterId;
    this.#epoch = epoch;
  }

  sealing(active: KeyId, insert: InsertSession) {
    const found = this.#open.get(active);
    const isOpen = found?.stores.has(insert) === true;
    return isOpen ? found.session : this.#begun(active, insert);
  }

  /** The next seal begins a session. */
  renew(): void {
    this.#current.clear();
    this.#open.clear();
  }

  /** How often it sealed under the current session of a key. */
  seals(keyId: KeyId): number {
    return this.#open.get(keyId)?.session.nonces.count ?? 0;
  }

  async opening(row: SessionRow): Promise<CryptoKey> {
    this.derived += 1;
    const { keyId } = row;
    if (this.forgotten.has(keyId)) throw new KeyUnknownError(keyId, "storage");
    return await deriveSessionKey(await importDek(secretOf(keyId)), {
      ...{ ...row, purpose: "storage", clusterId: this.#clusterId },
    });
  }

  nameOf(stateKey: KeyId, place: Bytes): Promise<string> {
    return Promise.resolve(`name-${stateKey}-${toHex(place).length}`);
  }

  async #begun(keyId: KeyId, insert: InsertSession): Promise<StorageSession> {
    let current = this.#current.get(keyId);
    if (current === undefined) {
      current = this.#begin(keyId);
      this.#current.set(keyId, current);
    }
    const found = await current;
    if (!await insert(found.row)) throw new Error("another salt");
    found.stores.add(insert);
    return found.session;
  }

  async #begin(keyId: KeyId): Promise<TestSession> {
    const epoch = this.#epoch++;
    await this.beforeOpening();
    const salt = new Uint8Array(32).fill(epoch);
    const row = { keyId, node16: NODE16, epoch, salt };
    const session = {
      ...{ keyId, clusterId: this.#clusterId },
      key: await this.opening(row),
      nonces: new NonceSequence(NODE16, epoch),
    };
    const begun = { row, session, stores: new Set<InsertSession>() };
    this.#open.set(keyId, begun);
    return begun;
  }
}

function secretOf(keyId: KeyId): Bytes {
  const secret = new Uint8Array(32).fill(9);
  new DataView(secret.buffer).setUint32(0, keyId);
  return secret;
}
