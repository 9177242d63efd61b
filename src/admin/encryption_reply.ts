import type { MessageInitShape } from "@bufbuild/protobuf";
import { uuidText } from "../base/uuid.ts";
import type {
  CapabilityFinding,
  EncryptionResult,
  EncryptionStatus,
  KeyStatus,
} from "../node/encryption_port.ts";
import type {
  DataKeySchema,
  EncryptionChangeSchema,
  GetEncryptionStateResponseSchema,
} from "./gen/encryption_pb.ts";
import { PURPOSE_NUMBER } from "./key_purpose.ts";

/** The node's encryption status as GetEncryptionState answers it. */
export function encryptionReply(
  status: EncryptionStatus,
  findings: readonly CapabilityFinding[],
): MessageInitShape<typeof GetEncryptionStateResponseSchema> {
  const { own, clusterId } = status;
  return {
    node: status.node,
    clusterId: clusterId === null ? "" : uuidText(clusterId),
    applied: BigInt(status.applied),
    phase: status.phase,
    stateIndex: BigInt(status.stateIndex),
    storageCutoverIndex: BigInt(status.storageCutoverIndex),
    raftCutoverIndex: BigInt(status.raftCutoverIndex),
    cleartextLockIndex: BigInt(status.cleartextLockIndex),
    keys: status.keys.map(keyReply),
    retired: [...status.retired],
    own: {
      enabled: own.isEnabled,
      gaps: [...own.gaps],
      kekIds: [...own.kekIds],
      sidecarIndex: BigInt(own.sidecarIndex),
      epochs: own.epochs.map(({ keyId, epoch }) => ({ keyId, epoch })),
    },
    findings: findings.map((finding) => ({ ...finding })),
  };
}

function keyReply(key: KeyStatus): MessageInitShape<typeof DataKeySchema> {
  const { id, isActive, keks, writers } = key;
  return {
    id,
    purpose: PURPOSE_NUMBER[key.purpose],
    active: isActive,
    createdMs: BigInt(key.createdMs),
    createdIndex: BigInt(key.createdIndex),
    deactivatedIndex: BigInt(key.deactivatedIndex),
    keks: [...keks],
    writers: writers.map((writer) => ({ ...writer })),
  };
}

/** What became of a change, as every change of encryption answers it. */
export function encryptionChangeReply(
  { plan, isChanged, index, unreachable }: EncryptionResult,
): MessageInitShape<typeof EncryptionChangeSchema> {
  return {
    plan: { hash: plan.hash, steps: [...plan.steps] },
    changed: isChanged,
    index: BigInt(index),
    unreachable: [...unreachable],
  };
}
