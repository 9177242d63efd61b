import type { KeyId } from "../../base/data_key.ts";
import { fullNodeId, node16Of } from "../../base/identity.ts";
import { ownRow } from "../../fsm/encryption_writers.ts";
import {
  type EncryptionState,
  writerId,
  type WriterRow,
} from "../../fsm/types.ts";
import type { SharedKeys } from "../../keys/port.ts";

/** A node as the writer registry knows it. */
export interface WriterName {
  readonly node: string;
  readonly fullNodeId: bigint;
  readonly node16: number;
}

export function writerNameOf(node: string): WriterName {
  const full = fullNodeId(node);
  return { node, fullNodeId: full, node16: node16Of(full) };
}

/** The row in the place of `writer` under a key; it may be of another node. */
export function rowAt(
  { writers }: EncryptionState,
  { node16 }: WriterName,
  keyId: KeyId,
): WriterRow | null {
  return writers.get(writerId(keyId, node16)) ?? null;
}

/** The last epoch that the registry knows of `writer` under a key; 0 for none. */
export function registeredEpoch(
  state: EncryptionState,
  writer: WriterName,
  keyId: KeyId,
): number {
  return ownRow(state, keyId, writer.fullNodeId)?.lastEpoch ?? 0;
}

/** What a sidecar mirrors of `state`. */
export function sharedKeysOf(state: EncryptionState): SharedKeys {
  const { keys, active, stateKey, stateIndex } = state;
  const { storageCutoverIndex, raftCutoverIndex, cleartextLockIndex } = state;
  return {
    stateIndex,
    keys: new Map(
      [...keys.values()].map((
        { id, purpose, commitment, createdMs, wraps },
      ) => [id, { id, purpose, commitment, createdMs, wraps }]),
    ),
    active,
    stateKey,
    storageCutoverIndex,
    raftCutoverIndex,
    cleartextLockIndex,
  };
}
