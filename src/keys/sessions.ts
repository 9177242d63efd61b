import { assert, present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { KeyId, SealingPurpose } from "../base/data_key.ts";
import { fullNodeId, node16Of } from "../base/identity.ts";
import type { Dek } from "../crypto/dek.ts";
import { NonceSequence } from "../crypto/nonce.ts";
import { deriveSessionKey, SESSION_SALT_BYTES } from "../crypto/session.ts";
import type { Random } from "../io/random.ts";
import type { Custody } from "./custody.ts";
import { EpochExhaustedError } from "./errors.ts";

/** What a store keeps of a session, to open what was sealed in it. */
export interface SessionRow {
  readonly keyId: KeyId;
  readonly node16: number;
  /** 1 to EPOCH_MAX. */
  readonly epoch: number;
  /** 32 bytes. */
  readonly salt: Bytes;
}

export interface SessionRows {
  /** Makes the row durable; false, and nothing changed, when there is one. */
  insert(row: SessionRow): Promise<boolean>;
}

/** One node's way to seal under one data key, for a while. */
export interface Session {
  /** 16 bytes. */
  readonly clusterId: Bytes;
  readonly keyId: KeyId;
  readonly purpose: SealingPurpose;
  readonly node16: number;
  readonly epoch: number;
  /** SESSION_SALT_BYTES of the purpose; no secret. */
  readonly salt: Bytes;
  /** AES-256-GCM; it cannot be exported. */
  readonly key: CryptoKey;
  readonly nonces: NonceSequence;
}

export type SessionCustody = Pick<
  Custody,
  | "node"
  | "clusterId"
  | "isRaised"
  | "isSpent"
  | "epochs"
  | "nextEpoch"
  | "dek"
>;

export interface SessionsParts {
  readonly custody: SessionCustody;
  /** Of the store that keeps what is sealed for "storage". */
  readonly rows: SessionRows;
  readonly random: Random;
}

/**
 * The sessions that this process seals under.
 *
 * 1. An epoch of a key is used by one session: this process raised it at its
 *    start, and takes the next one for each session after the first.
 * 2. The salt is drawn here; what was sealed in a storage session before could
 *    be opened, as its row is durable first. A row that is there already is of
 *    a disk put back: the session takes another epoch.
 */
export class Sessions {
  readonly #parts: SessionsParts;
  readonly #node16: number;
  readonly #current = new Map<KeyId, Session>();
  readonly #opening = new Map<KeyId, Promise<Session>>();
  /** The last epoch that a session was begun with. */
  readonly #used = new Map<KeyId, number>();
  /** Seals of sessions that are over. */
  readonly #sealsBefore = new Map<KeyId, number>();
  /** The keys of when the sessions of others were forgotten. */
  #known: ReadonlyMap<KeyId, number> | null = null;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#node16 = node16Of(fullNodeId(parts.custody.node));
  }

  /**
   * The session to seal under now; the next one when that one is due.
   *
   * @throws {KeyUnknownError}
   * @throws {EpochExhaustedError}
   * @throws {SidecarWriteFailedError}
   * @throws {NodeError} What the store's rows throw.
   */
  async open(keyId: KeyId, purpose: SealingPurpose): Promise<Session> {
    const current = this.current(keyId, purpose);
    if (current !== null) return current;
    const dek = this.#parts.custody.dek(keyId, purpose);
    const underWay = this.#opening.get(keyId);
    if (underWay !== undefined) return await underWay;
    const opening = this.#begin(dek, keyId, purpose).finally(() =>
      this.#opening.delete(keyId)
    );
    this.#opening.set(keyId, opening);
    return await opening;
  }

  /** The session of the key's current epoch; `null`: `open` makes one. */
  current(keyId: KeyId, purpose: SealingPurpose): Session | null {
    this.#forgetRetired();
    const session = this.#current.get(keyId);
    if (session?.purpose !== purpose || session.nonces.isDue) return null;
    const epoch = this.#parts.custody.epochs().get(keyId);
    return session.epoch === epoch ? session : null;
  }

  /** How often this process has sealed under each key. */
  seals(): ReadonlyMap<KeyId, number> {
    const seals = new Map(this.#sealsBefore);
    for (const [keyId, { nonces }] of this.#current) {
      seals.set(keyId, (seals.get(keyId) ?? 0) + nonces.count);
    }
    return seals;
  }

  /** What was sealed under them stays counted. */
  #forgetRetired(): void {
    const epochs = this.#parts.custody.epochs();
    if (epochs === this.#known) return;
    this.#known = epochs;
    for (const [keyId, { nonces }] of this.#current) {
      if (epochs.has(keyId)) continue;
      const before = this.#sealsBefore.get(keyId) ?? 0;
      this.#sealsBefore.set(keyId, before + nonces.count);
      this.#current.delete(keyId);
    }
  }

  async #begin(
    dek: Dek,
    keyId: KeyId,
    purpose: SealingPurpose,
  ): Promise<Session> {
    const { custody } = this.#parts;
    assert(custody.isRaised, "epochs are raised before the first session");
    if (custody.isSpent(keyId)) throw new EpochExhaustedError(keyId);
    const clusterId = present(custody.clusterId, "the cluster of a key");
    const row = await this.#beginRow(keyId, purpose);
    const name = { ...row, clusterId, purpose };
    const session = {
      ...name,
      key: await deriveSessionKey(dek, name),
      nonces: new NonceSequence(row.node16, row.epoch),
    };
    this.#sealsBefore.set(keyId, this.seals().get(keyId) ?? 0);
    this.#current.set(keyId, session);
    return session;
  }

  async #beginRow(keyId: KeyId, purpose: SealingPurpose): Promise<SessionRow> {
    const { custody, rows, random } = this.#parts;
    let epoch = custody.epochs().get(keyId) ?? 0;
    if (epoch <= (this.#used.get(keyId) ?? 0)) {
      epoch = await custody.nextEpoch(keyId);
    }
    for (;;) {
      const salt = random.bytes(SESSION_SALT_BYTES[purpose]);
      const row = { keyId, node16: this.#node16, epoch, salt };
      this.#used.set(keyId, epoch);
      // A raft envelope carries its salt.
      if (purpose === "raft" || await rows.insert(row)) return row;
      epoch = await custody.nextEpoch(keyId);
    }
  }
}
