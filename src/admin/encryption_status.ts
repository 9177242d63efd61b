import type { KeyPurpose } from "../base/data_key.ts";
import type {
  DataKey,
  GetEncryptionStateResponse,
} from "./gen/encryption_pb.ts";
import { PURPOSE_NAME } from "./key_purpose.ts";

export type ClusterKeyPurpose = KeyPurpose | "unknown";

/** What one node may have sealed with a key. */
export interface ClusterKeyWriter {
  /** Name of the member; "" for a node that is none. */
  readonly member: string;
  readonly fullNodeId: bigint;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
}

/** A data key without the key. */
export interface ClusterKey {
  readonly id: number;
  readonly purpose: ClusterKeyPurpose;
  readonly isActive: boolean;
  /** Unix ms. */
  readonly createdMs: bigint;
  readonly createdIndex: bigint;
  /** Of the entry that made another key active; 0 for none. */
  readonly deactivatedIndex: bigint;
  /** Ids of the KEKs that wrap it. */
  readonly keks: readonly string[];
  readonly writers: readonly ClusterKeyWriter[];
}

/** Encryption as one member has applied it, and its own share. */
export interface ClusterEncryption {
  /** The member that answered. */
  readonly node: string;
  readonly clusterId: string;
  readonly applied: bigint;
  readonly phase: number;
  /** Of the last entry that changed any of the following; 0 for none. */
  readonly stateIndex: bigint;
  readonly storageCutoverIndex: bigint;
  readonly raftCutoverIndex: bigint;
  readonly cleartextLockIndex: bigint;
  readonly keys: readonly ClusterKey[];
  /** Ids that are refused for ever. */
  readonly retired: readonly number[];
  readonly own: {
    readonly isEnabled: boolean;
    /** What stands in the way of changes there, and what to do; lines. */
    readonly gaps: readonly string[];
    readonly kekIds: readonly string[];
    readonly sidecarIndex: bigint;
    readonly epochs: readonly {
      readonly keyId: number;
      readonly epoch: number;
    }[];
  };
}

/** One member's answer to the question whether it can take part. */
export interface MemberCapability {
  readonly member: string;
  /** "" when it proved it. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** A reply as callers see it; words of a newer version are "unknown". */
export function encryptionOf(
  reply: GetEncryptionStateResponse,
): ClusterEncryption {
  const { node, clusterId, applied, phase, stateIndex, own } = reply;
  return {
    node,
    clusterId,
    applied,
    phase,
    stateIndex,
    storageCutoverIndex: reply.storageCutoverIndex,
    raftCutoverIndex: reply.raftCutoverIndex,
    cleartextLockIndex: reply.cleartextLockIndex,
    keys: reply.keys.map(keyOf),
    retired: reply.retired,
    own: {
      isEnabled: own?.enabled ?? false,
      gaps: own?.gaps ?? [],
      kekIds: own?.kekIds ?? [],
      sidecarIndex: own?.sidecarIndex ?? 0n,
      epochs: own?.epochs.map(({ keyId, epoch }) => ({ keyId, epoch })) ?? [],
    },
  };
}

export function capabilitiesOf(
  { findings }: GetEncryptionStateResponse,
): readonly MemberCapability[] {
  return findings.map(({ member, code, message, remedy }) => (
    { member, code, message, remedy }
  ));
}

function keyOf(key: DataKey): ClusterKey {
  const { id, active, createdMs, createdIndex, deactivatedIndex, keks } = key;
  return {
    id,
    purpose: PURPOSE_NAME[key.purpose] ?? "unknown",
    isActive: active,
    createdMs,
    createdIndex,
    deactivatedIndex,
    keks,
    writers: key.writers.map((writer) => {
      const { member, fullNodeId, firstEpoch, lastEpoch } = writer;
      return { member, fullNodeId, firstEpoch, lastEpoch };
    }),
  };
}
