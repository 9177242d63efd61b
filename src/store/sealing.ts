import { present } from "../base/assert.ts";
import { type Bytes, getUint64, toHex, viewOf } from "../base/bytes.ts";
import type { KeyId } from "../base/data_key.ts";
import { NodeError } from "../base/error.ts";
import type { EnvelopeHeader } from "../crypto/envelope_header.ts";
import { EnvelopeRejectedError } from "../crypto/errors.ts";
import {
  openStorageEnvelope,
  peekStorageEnvelope,
} from "../crypto/storage_envelope.ts";
import { type RecordKey, VERSIONSTAMP_BYTES } from "../fsm/types.ts";
import { EnvelopeSealer, KeylessSealer } from "./envelope_sealer.ts";
import {
  type IntegrityFault,
  StoreRecordIntegrityError,
  StoreRecordSealedError,
} from "./errors.ts";
import type { CheckpointState } from "./meta.ts";
import type { InsertSession, RecordKeys } from "./record_keys.ts";
import { keyName, placeBytes } from "./row_key.ts";
import {
  bodyState,
  CleartextSealer,
  RECORD_HEADER_BYTES,
  type RecordOpener,
  type RecordSealer,
  STATE_CLEARTEXT,
} from "./sealer.ts";
import { type FindSession, SessionKeys } from "./session_keys.ts";

export interface SealingParts {
  /** Without any, nothing sealed is opened and nothing is sealed. */
  readonly keys: RecordKeys | null;
  readonly findSession: FindSession;
  readonly insertSession: InsertSession;
  /** What the store has now: records of it are judged by it. */
  readonly state: () => CheckpointState;
}

/** A whole record and whose it is. */
interface FoundRecord {
  readonly row: Uint8Array;
  readonly bodyAt: number;
  readonly place: RecordKey;
}

interface Refused {
  readonly found: FoundRecord;
  readonly state: CheckpointState;
}

const CLEARTEXT = new CleartextSealer();
const VERSIONSTAMP_AT = 3;

/**
 * How one store keeps its records: in cleartext before the storage cutover, and
 * sealed under its node's sessions from the batch on that brings it.
 */
export class RecordSealing implements RecordOpener {
  readonly #parts: SealingParts;
  readonly #sessionKeys: SessionKeys | null;

  constructor(parts: SealingParts) {
    const { keys, findSession } = parts;
    this.#parts = parts;
    this.#sessionKeys = keys === null
      ? null
      : new SessionKeys(keys, findSession);
  }

  /** For the records of a batch that makes the state `state`. */
  sealerFor({ fsm: { encryption } }: CheckpointState): RecordSealer {
    if (encryption.storageCutoverIndex === 0) return CLEARTEXT;
    this.#sessionKeys?.keepOnly(encryption.keys);
    const { keys, insertSession: insert } = this.#parts;
    if (keys === null) return new KeylessSealer();
    return new EnvelopeSealer(keys, {
      ...{ active: encryption.active.storage, insert },
    });
  }

  open: RecordOpener["open"] = (row, bodyAt, place) =>
    this.#open({ row, bodyAt, place }, this.#parts.state());

  /** Judges records by `state`, which they are of, and not by the store's. */
  openerAt(state: CheckpointState): RecordOpener {
    return {
      open: (row, bodyAt, place) => this.#open({ row, bodyAt, place }, state),
    };
  }

  #open(
    found: FoundRecord,
    state: CheckpointState,
  ): Uint8Array | null | Promise<Uint8Array> {
    const { row, bodyAt, place } = found;
    if (bodyState(row, bodyAt) !== STATE_CLEARTEXT) {
      return this.#openSealed(found, state);
    }
    const fault = cleartextFault(found, state);
    if (fault === null) return CLEARTEXT.open(row, bodyAt, place);
    return this.#refuse(fault, { found, state });
  }

  async #openSealed(
    found: FoundRecord,
    state: CheckpointState,
  ): Promise<Uint8Array> {
    const { row, bodyAt, place } = found;
    if (this.#sessionKeys === null) {
      throw new StoreRecordSealedError(place.database, keyName(place));
    }
    const body = row.subarray(bodyAt) as Bytes;
    const envelope = peekStorageEnvelope(body);
    const refused = { found, state };
    if (envelope === null) return this.#refuse("envelope-malformed", refused);
    const key = await this.#keyOf(envelope, refused);
    const clusterId = present(state.fsm.clusterId, "the cluster of a key");
    const header = row.subarray(bodyAt - RECORD_HEADER_BYTES, bodyAt) as Bytes;
    try {
      return await openStorageEnvelope(
        { key, clusterId },
        header,
        placeBytes(place),
        body,
      );
    } catch (cause) {
      if (!(cause instanceof EnvelopeRejectedError)) throw cause;
      return this.#refuse("tag-mismatch", refused, { cause });
    }
  }

  async #keyOf(
    { keyId, nonce: { node16, epoch } }: EnvelopeHeader,
    refused: Refused,
  ): Promise<CryptoKey> {
    const sessionKeys = present(this.#sessionKeys, "keys of sessions");
    try {
      const key = await sessionKeys.of({ keyId, node16, epoch });
      if (key !== null) return key;
    } catch (cause) {
      const isUnknown = cause instanceof NodeError &&
        cause.code === "KEYS_KEY_UNKNOWN";
      if (!isUnknown) throw cause;
      return this.#refuse("key-unknown", refused, { cause });
    }
    return this.#refuse("session-unknown", refused);
  }

  async #refuse(
    fault: IntegrityFault,
    { found: { row, bodyAt, place }, state }: Refused,
    options?: ErrorOptions,
  ): Promise<never> {
    const from = stampAt(bodyAt);
    const versionstamp = toHex(row.subarray(from, from + VERSIONSTAMP_BYTES));
    const name = await this.#nameOf(place, state.fsm.encryption.stateKey);
    throw new StoreRecordIntegrityError(fault, { versionstamp, name }, options);
  }

  /** A refusal is told also where its record cannot be named. */
  async #nameOf(place: RecordKey, stateKey: KeyId): Promise<string | null> {
    const { keys } = this.#parts;
    if (keys === null) return null;
    try {
      return await keys.nameOf(stateKey, placeBytes(place));
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      return null;
    }
  }
}

/** What speaks against a cleartext record in `state`. */
function cleartextFault(
  { row, bodyAt }: FoundRecord,
  { fsm: { encryption } }: CheckpointState,
): IntegrityFault | null {
  const { storageCutoverIndex: cutover, cleartextLockIndex } = encryption;
  if (cutover === 0) return null;
  if (cleartextLockIndex > 0) return "cleartext-after-lock";
  const index = getUint64(viewOf(row), stampAt(bodyAt));
  const isLater = index === null || index > cutover;
  return isLater ? "cleartext-after-cutover" : null;
}

function stampAt(bodyAt: number): number {
  return bodyAt - RECORD_HEADER_BYTES + VERSIONSTAMP_AT;
}
