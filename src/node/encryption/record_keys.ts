import { assert, present } from "../../base/assert.ts";
import { type Bytes, toHex } from "../../base/bytes.ts";
import type { KeyId } from "../../base/data_key.ts";
import { signHmac } from "../../crypto/hmac.ts";
import { deriveMacKey, recordNameInfo } from "../../crypto/mac.ts";
import { deriveSessionKey } from "../../crypto/session.ts";
import type { StorageSession } from "../../crypto/storage_envelope.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { Session, Sessions } from "../../keys/sessions.ts";
import type { InsertSession, RecordKeys } from "../../store/record_keys.ts";
import type { SessionRow } from "../../store/session_row.ts";

export interface NodeRecordKeysParts {
  readonly custody: Pick<
    KeyCustody,
    "clusterId" | "dek" | "activeKey" | "isSpent" | "epochs"
  >;
  readonly sessions: Pick<Sessions, "open" | "current">;
}

/** Of a record's name: 64 bits tell records apart. */
const NAME_BYTES = 8;

/** What the stores of a node seal and open records with: its own sessions. */
export class NodeRecordKeys implements RecordKeys {
  readonly #parts: NodeRecordKeysParts;
  /** Sessions whose row is durable, by the store that has it. */
  readonly #placed = new WeakMap<InsertSession, WeakSet<Session>>();

  constructor(parts: NodeRecordKeysParts) {
    this.#parts = parts;
  }

  sealing(
    active: KeyId,
    insert: InsertSession,
  ): StorageSession | Promise<StorageSession> {
    const keyId = this.#usable(active);
    const session = this.#parts.sessions.current(keyId, "storage");
    const isPlaced = session !== null &&
      this.#placed.get(insert)?.has(session) === true;
    return isPlaced ? session : this.#open(keyId, insert);
  }

  async opening(row: SessionRow): Promise<CryptoKey> {
    const { custody } = this.#parts;
    const dek = custody.dek(row.keyId, "storage");
    const clusterId = present(custody.clusterId, "the cluster of a key");
    return await deriveSessionKey(dek, {
      ...row,
      ...{ clusterId, purpose: "storage" },
    });
  }

  async nameOf(stateKey: KeyId, place: Bytes): Promise<string> {
    const { custody } = this.#parts;
    const dek = custody.dek(stateKey, "state");
    const clusterId = present(custody.clusterId, "the cluster of a key");
    const key = await deriveMacKey(dek, recordNameInfo(clusterId));
    const name = await signHmac(key, place);
    return toHex(name.subarray(0, NAME_BYTES));
  }

  /**
   * The sidecar may be ahead of a store that catches up: it knows what follows
   * a key that is spent, or that is gone.
   */
  #usable(active: KeyId): KeyId {
    const { custody } = this.#parts;
    const isUsable = custody.epochs().has(active) && !custody.isSpent(active);
    return isUsable ? active : custody.activeKey("storage");
  }

  async #open(keyId: KeyId, insert: InsertSession): Promise<StorageSession> {
    const session = await this.#parts.sessions.open(keyId, "storage");
    const { node16, epoch, salt } = session;
    const isPlaced = await insert({ keyId, node16, epoch, salt });
    assert(isPlaced, "a session has one salt");
    const placed = this.#placed.get(insert) ?? new WeakSet();
    this.#placed.set(insert, placed.add(session));
    return session;
  }
}
