import type { KeyId } from "../../base/data_key.ts";
import { fullNodeId, node16Of } from "../../base/identity.ts";
import {
  type EncryptionState,
  writerId,
  type WriterRow,
} from "../../fsm/types.ts";
import type { SharedKeys } from "../../keys/port.ts";

/** The row in the place of `node` under a key; it may be of another node. */
export function rowAt(
  { writers }: EncryptionState,
  node: string,
  keyId: KeyId,
): WriterRow | null {
  const node16 = node16Of(fullNodeId(node));
  return writers.get(writerId(keyId, node16)) ?? null;
}

/** The last epoch that the registry knows of `node` under a key; 0 for none. */
export function registeredEpoch(
  state: EncryptionState,
  node: string,
  keyId: KeyId,
): number {
  const row = rowAt(state, node, keyId);
  return row?.fullNodeId === fullNodeId(node) ? row.lastEpoch : 0;
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
