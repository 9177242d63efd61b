import { fullNodeId } from "../../base/identity.ts";
import type {
  EncryptionState,
  FsmState,
  KeyEntry,
  WriterRow,
} from "../../fsm/types.ts";
import { phaseOf } from "../../fsm/encryption.ts";
import type { CustodyGap, KeyCustody } from "../../keys/port.ts";
import type { EncryptionStatus, KeyStatus } from "../encryption_port.ts";
import { gapLine } from "./change_errors.ts";

/** What a status is made of. */
export interface EncryptionStatusParts {
  readonly node: string;
  readonly applied: number;
  readonly fsm: FsmState;
  readonly custody: KeyCustody;
}

/** Encryption as this member sees it. */
export async function encryptionStatus(
  { node, applied, fsm, custody }: EncryptionStatusParts,
): Promise<EncryptionStatus> {
  const { encryption } = fsm;
  const gaps: readonly CustodyGap[] = await custody.gaps();
  const names = new Map(
    [...fsm.members.values()].map(({ name }) => [fullNodeId(name), name]),
  );
  return {
    node,
    clusterId: fsm.clusterId,
    applied,
    phase: phaseOf(encryption),
    stateIndex: encryption.stateIndex,
    storageCutoverIndex: encryption.storageCutoverIndex,
    raftCutoverIndex: encryption.raftCutoverIndex,
    cleartextLockIndex: encryption.cleartextLockIndex,
    keys: [...encryption.keys.values()].map((key) =>
      keyStatus(key, encryption, names)
    ),
    retired: [...encryption.retired],
    own: {
      isEnabled: custody.isEnabled,
      gaps: gaps.map(gapLine),
      kekIds: custody.kekIds,
      sidecarIndex: custody.sidecarIndex,
      epochs: [...custody.epochs()]
        .map(([keyId, epoch]) => ({ keyId, epoch }))
        .sort((a, b) => a.keyId - b.keyId),
    },
  };
}

function keyStatus(
  key: KeyEntry,
  { active, writers }: EncryptionState,
  names: ReadonlyMap<bigint, string>,
): KeyStatus {
  const { id, purpose, wraps } = key;
  const { createdMs, createdIndex, deactivatedIndex } = key;
  const rows: WriterRow[] = [];
  for (const row of writers.values()) if (row.keyId === id) rows.push(row);
  return {
    ...{ id, purpose, createdMs, createdIndex, deactivatedIndex },
    isActive: id === active.storage || id === active.raft,
    keks: wraps.map(({ kek }) => kek),
    writers: rows.map(({ fullNodeId: full, firstEpoch, lastEpoch }) => ({
      member: names.get(full) ?? "",
      fullNodeId: full,
      firstEpoch,
      lastEpoch,
    })),
  };
}
