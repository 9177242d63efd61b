import type { Bytes } from "../base/bytes.ts";
import type {
  KeyId,
  KeyPurpose,
  KeyWrap,
  SealingPurpose,
  WrappedKey,
} from "../base/data_key.ts";
import type { Dek } from "../crypto/dek.ts";

/** What a KEK binds to what it wraps: another place does not open it. */
export type WrapContext =
  | {
    readonly kind: "dek";
    /** 16 bytes. */
    readonly clusterId: Bytes;
    readonly keyId: KeyId;
    readonly purpose: KeyPurpose;
  }
  /** A capability challenge (encryption.md). */
  | {
    readonly kind: "challenge";
    readonly clusterId: Bytes;
    readonly term: number;
    /** Full node id of the member that is asked. */
    readonly target: bigint;
  };

/** A key-encryption key, wherever it lives. */
export interface Kek {
  /** How wraps name it; the same on every node that has it. No secret. */
  readonly id: string;
  /** Wraps 32 bytes. @throws {KekUnavailableError} */
  wrap(secret: Bytes, context: WrapContext): Promise<Bytes>;
  /**
   * @throws {KekUnavailableError} The provider does not answer: ask again.
   * @throws {WrapRejectedError} Another KEK's, another place's, or damaged.
   */
  unwrap(wrapped: Bytes, context: WrapContext): Promise<Bytes>;
}

/** The part of the encryption state that a sidecar mirrors. */
export interface SharedKeys {
  /** As `EncryptionState.stateIndex`. */
  readonly stateIndex: number;
  readonly keys: ReadonlyMap<KeyId, WrappedKey>;
  readonly active: Readonly<Record<SealingPurpose, KeyId>>;
  readonly stateKey: KeyId;
  readonly storageCutoverIndex: number;
  readonly raftCutoverIndex: number;
  readonly cleartextLockIndex: number;
}

/** What stands in this node's way to changes of encryption, in order. */
export type CustodyGap =
  /** `--encryption-enabled` is not given. */
  | { readonly kind: "flag" }
  /** No KEK, or none that wraps and unwraps just now. */
  | { readonly kind: "kek"; readonly cause: Error | null }
  /** The sidecar's directory fails the filesystem probe. */
  | { readonly kind: "sidecar"; readonly cause: Error };

/**
 * A node's keys: KEKs, opened data keys, the sidecar and this node's epochs.
 *
 * Calls that change it run one at a time, in the order they were made.
 */
export interface KeyCustody {
  /** Full id and node16 come from it. */
  readonly node: string;
  /** Of the cluster whose keys it has, 16 bytes; `null` without keys. */
  readonly clusterId: Bytes | null;
  /** Flag given, KEKs loaded, filesystem fit. */
  gaps(): Promise<readonly CustodyGap[]>;
  /** What the filesystem probe met in the sidecar's directory; `null`: it passed. */
  filesystemFault(): Promise<Error | null>;
  readonly isEnabled: boolean;
  /** Ids of the configured KEKs, the primary first. */
  readonly kekIds: readonly string[];

  /**
   * Takes over what an entry or a checkpoint brought: opens keys that are new,
   * checks commitments, forgets keys that are gone, and writes the sidecar
   * durably; the same again changes nothing.
   *
   * `ownLastEpoch` is what the registry knows of this node under a key, 0 for
   * no row: a key first seen starts one above it.
   *
   * @throws {KekUnavailableError} Nothing was changed: ask again.
   * @throws {NodeError} This node cannot: NODE_KEK_REQUIRED,
   * KEYS_KEK_MISMATCH, KEYS_WRAP_REJECTED, KEYS_COMMITMENT_MISMATCH,
   * KEYS_KEY_CONFLICT, KEYS_EPOCH_EXHAUSTED, KEYS_SIDECAR_WRITE_FAILED.
   */
  absorb(
    clusterId: Bytes,
    shared: SharedKeys,
    ownLastEpoch: (keyId: KeyId) => number,
  ): Promise<void>;
  /** A key that the sidecar has, open. @throws {KeyUnknownError} */
  dek(keyId: KeyId, purpose: KeyPurpose): Dek;
  /** By the sidecar, which may be ahead of the store; NO_KEY before keys. */
  activeKey(purpose: SealingPurpose): KeyId;
  /** Whether this process has no epoch of the key to begin a session with. */
  isSpent(keyId: KeyId): boolean;
  /**
   * Opens a key that need not be this cluster's, and keeps nothing: of a stream
   * that is yet to be verified. `known` are all keys beside it.
   *
   * @throws {KekUnavailableError} Ask again.
   * @throws {NodeError} KEYS_KEK_MISMATCH, KEYS_WRAP_REJECTED,
   * KEYS_COMMITMENT_MISMATCH.
   */
  openKey(
    clusterId: Bytes,
    key: WrappedKey,
    known: readonly WrappedKey[],
  ): Promise<Dek>;
  /** HMAC of the store's encryption-state row; 32 bytes. A state key is there. */
  stateMac(clusterId: Bytes, row: Bytes): Promise<Bytes>;
  /** The current epoch of every key; empty without keys. */
  epochs(): ReadonlyMap<KeyId, number>;
  /**
   * Takes the next epoch of a key, and one above `above`, durably.
   *
   * @throws {EpochExhaustedError} Nothing was changed.
   */
  nextEpoch(keyId: KeyId, above?: number): Promise<number>;
  /**
   * Begins this process's epochs: one above the last ones, in one write; keys
   * without an epoch left stay at it. Once, when nothing speaks against a start.
   */
  raiseEpochs(): Promise<void>;
  /** `stateIndex` of the sidecar; 0 without one. */
  readonly sidecarIndex: number;
  /** By the sidecar, which may be ahead of the store; 0 for not yet. */
  readonly storageCutoverIndex: number;

  /** Draws a data key and wraps it under every configured KEK. */
  drawKey(options: {
    readonly clusterId: Bytes;
    readonly purpose: KeyPurpose;
    /** Ids that it must not get. */
    readonly taken: (id: KeyId) => boolean;
    readonly createdMs: number;
  }): Promise<WrappedKey>;
  /**
   * The key's wraps under these KEKs (ids; empty: the primary one), its bytes
   * unchanged and checked.
   *
   * @throws {KekMismatchError} No wrap opens here.
   * @throws {KekUnknownError} A KEK that is not configured here.
   */
  rewrap(
    clusterId: Bytes,
    key: WrappedKey,
    keks: readonly string[],
  ): Promise<readonly KeyWrap[]>;
  /** Wraps a challenge under each of these KEKs (ids; empty: all). */
  wrapChallenge(
    challenge: Bytes,
    context: WrapContext,
    keks: readonly string[],
  ): Promise<readonly KeyWrap[]>;
  /** Opens a challenge by any wrap; `null` when none opens. */
  openChallenge(
    wraps: readonly KeyWrap[],
    context: WrapContext,
  ): Promise<Bytes | null>;
}
