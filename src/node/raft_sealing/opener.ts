import { present } from "../../base/assert.ts";
import { type Bytes, toHex } from "../../base/bytes.ts";
import { NodeError } from "../../base/error.ts";
import {
  openRaftEnvelope,
  peekRaftEnvelope,
  type RaftEnvelopeHeader,
} from "../../crypto/raft_envelope.ts";
import { deriveSessionKey } from "../../crypto/session.ts";
import { isRaftMarker } from "../../fsm/encryption_payload.ts";
import type { EncryptionState, FsmState } from "../../fsm/types.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { LogIndex } from "../../raft/types.ts";
import { RaftUnwrapFailedError } from "./errors.ts";

/** Session keys kept: every member's last sessions, under two keys. */
const SESSIONS_KEPT = 128;

export interface RaftOpenerParts {
  /** Name of this node. */
  readonly name: string;
  readonly custody: Pick<KeyCustody, "dek">;
}

/**
 * Opens what entries carry, by the strict rule: sealed exactly if the entry is
 * above the raft cutover; only the marker itself never is.
 *
 * Whether, and with which keys, is told by the state that the entry is applied
 * to, so that all members decide the same.
 */
export class RaftOpener {
  readonly #parts: RaftOpenerParts;
  /** By key id, node16, epoch and salt; oldest first. */
  readonly #keys = new Map<string, Promise<CryptoKey>>();
  /** The cluster's keys when those of sessions that are gone were forgotten. */
  #known: EncryptionState["keys"] | null = null;

  constructor(parts: RaftOpenerParts) {
    this.#parts = parts;
  }

  /** Whether `open` has to be asked for the entry at `index`. */
  isSealed(fsm: FsmState, index: LogIndex, payload: Uint8Array): boolean {
    const { raftCutoverIndex } = fsm.encryption;
    const isAbove = raftCutoverIndex > 0 && index > raftCutoverIndex;
    return isAbove && !isRaftMarker(payload);
  }

  /** Forgets the sessions of keys that the cluster has no more. */
  forgetRetired({ encryption: { keys } }: FsmState): void {
    if (keys === this.#known) return;
    this.#known = keys;
    for (const name of this.#keys.keys()) {
      if (!keys.has(Number.parseInt(name))) this.#keys.delete(name);
    }
  }

  /** Whether it says to be sealed with a raft key that the cluster has. */
  isKnown(fsm: FsmState, envelope: Uint8Array): boolean {
    const header = peekRaftEnvelope(envelope);
    return header !== null && isRaftKey(fsm, header);
  }

  /**
   * Returns the payload in `envelope`; everything before `index` is in `fsm`,
   * but for entries that change nothing about encryption.
   *
   * @throws {RaftUnwrapFailedError} It does not open.
   */
  async open(fsm: FsmState, index: LogIndex, envelope: Bytes): Promise<Bytes> {
    const header = peekRaftEnvelope(envelope);
    if (header === null) throw this.#failed(index, "it is not sealed");
    const { keyId } = header;
    if (!isRaftKey(fsm, header)) {
      throw this.#failed(index, `key ${keyId} is no raft key of the cluster`);
    }
    const clusterId = present(fsm.clusterId, "a founded cluster's id");
    try {
      const key = await this.#keyOf(clusterId, header);
      return await openRaftEnvelope({ key, clusterId }, envelope);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      throw this.#failed(index, `key ${keyId}`, error);
    }
  }

  #keyOf(
    clusterId: Bytes,
    { keyId, salt, nonce: { node16, epoch } }: RaftEnvelopeHeader,
  ): Promise<CryptoKey> {
    const name = `${keyId}/${node16}/${epoch}/${toHex(salt)}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const dek = this.#parts.custody.dek(keyId, "raft");
    const session = { clusterId, keyId, node16, epoch, salt };
    const key = deriveSessionKey(dek, { ...session, purpose: "raft" });
    this.#keys.set(name, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= SESSIONS_KEPT) break;
      this.#keys.delete(oldest);
    }
    return key;
  }

  #failed(
    index: LogIndex,
    found: string,
    cause: Error | null = null,
  ): RaftUnwrapFailedError {
    const { name } = this.#parts;
    return cause === null
      ? new RaftUnwrapFailedError(index, name, found)
      : new RaftUnwrapFailedError(index, name, found, { cause });
  }
}

function isRaftKey(
  { encryption }: FsmState,
  { keyId }: RaftEnvelopeHeader,
): boolean {
  return encryption.keys.get(keyId)?.purpose === "raft";
}
