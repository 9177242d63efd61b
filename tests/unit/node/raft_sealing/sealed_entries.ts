import { type Bytes, utf8 } from "../../../../src/base/bytes.ts";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { sha256 } from "../../../../src/base/sha256.ts";
import { type Dek, importDek } from "../../../../src/crypto/dek.ts";
import { NonceSequence } from "../../../../src/crypto/nonce.ts";
import { sealRaftEnvelope } from "../../../../src/crypto/raft_envelope.ts";
import {
  deriveSessionKey,
  RAFT_SALT_BYTES,
} from "../../../../src/crypto/session.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { encodeProposal } from "../../../../src/fsm/proposal.ts";
import type { EncryptionChange } from "../../../../src/fsm/types.ts";
import { changeEntry, foundingEntry } from "../encryption/acting_bench.ts";
import { BOOTSTRAP, CLUSTER, RAFT, wrappedKey } from "../encryption/changes.ts";
import { FakeCustody } from "../encryption/fake_custody.ts";

export const STORAGE_ON: EncryptionChange = { kind: "enable-storage-envelope" };
export const MARKER: EncryptionChange = { kind: "enable-raft-envelope" };

/** A log to the raft cutover, at index 4. */
export const CUT_OVER: readonly Uint8Array[] = [
  foundingEntry(),
  changeEntry(2, BOOTSTRAP),
  changeEntry(3, STORAGE_ON),
  changeEntry(4, MARKER),
];

/** Another raft key, in the place of `replaces`. */
export function raftRotation(id: KeyId, replaces = RAFT): Bytes {
  const key = wrappedKey(id, "raft");
  return encodeEncryption({ kind: "rotate-dek", key, replaces });
}

/** The key of an id: the same in every test. */
export function dekOf(keyId: KeyId): Promise<Dek> {
  return importDek(sha256(utf8(`key ${keyId}`)));
}

/** Has `deks` of these ids as soon as an entry brought them. */
export class KeyedCustody extends FakeCustody {
  readonly deks = new Map<KeyId, Dek>();
  /** Each key that was asked for. */
  readonly asked: KeyId[] = [];

  static async of(...ids: readonly KeyId[]): Promise<KeyedCustody> {
    const custody = new KeyedCustody("n1");
    for (const id of ids) custody.deks.set(id, await dekOf(id));
    return custody;
  }

  override dek(keyId: KeyId = 0): Dek {
    this.asked.push(keyId);
    const dek = this.deks.get(keyId);
    if (dek === undefined || !this.epochs().has(keyId)) {
      throw new Error(`key ${keyId} is not here yet`);
    }
    return dek;
  }
}

export interface SealGiven {
  readonly clusterId?: Bytes;
  readonly node16?: number;
  readonly epoch?: number;
  readonly salt?: Bytes;
  /** The key in fact. */
  readonly dek?: Dek;
}

export async function sealed(
  keyId: KeyId,
  payload: Bytes,
  given: SealGiven = {},
): Promise<Bytes> {
  const { clusterId = CLUSTER, node16 = 1, epoch = 1 } = given;
  const salt = given.salt ?? new Uint8Array(RAFT_SALT_BYTES).fill(5);
  const name = { clusterId, keyId, purpose: "raft", node16, epoch, salt };
  const key = await deriveSessionKey(
    given.dek ?? await dekOf(keyId),
    { ...name, purpose: "raft" },
  );
  const nonces = new NonceSequence(node16, epoch);
  return await sealRaftEnvelope(
    { key, keyId, nonces, clusterId, salt },
    payload,
  );
}

/** An entry's data, sealed. */
export async function sealedEntry(
  proposalId: number,
  keyId: KeyId,
  payload: Bytes,
  given: SealGiven = {},
): Promise<Bytes> {
  return encodeProposal(proposalId, await sealed(keyId, payload, given));
}
