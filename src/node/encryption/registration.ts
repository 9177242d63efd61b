import {
  EPOCH_MAX,
  type KeyId,
  NO_KEY,
  SEALING_PURPOSES,
} from "../../base/data_key.ts";
import type { EncryptionState, WriterClaim } from "../../fsm/types.ts";
import { EpochRollbackError, NodeIdCollisionError } from "./errors.ts";
import { registeredEpoch, rowAt, type WriterName } from "./own_rows.ts";

/** A node's current epoch of every key that it has. */
export type Epochs = ReadonlyMap<KeyId, number>;

/**
 * What the applied registry has yet to show of `writer`: its current epoch of
 * each active key. Epochs are never 0.
 */
export function missingClaims(
  state: EncryptionState,
  writer: WriterName,
  epochs: Epochs,
): readonly WriterClaim[] {
  const claims: WriterClaim[] = [];
  for (const purpose of SEALING_PURPOSES) {
    const keyId = state.active[purpose];
    const epoch = epochs.get(keyId);
    if (keyId === NO_KEY || epoch === undefined) continue;
    if (registeredEpoch(state, writer, keyId) < epoch) {
      claims.push({ keyId, epoch });
    }
  }
  return claims.sort((a, b) => a.keyId - b.keyId);
}

/**
 * Why `writer` must not go on by what the applied registry shows: it registers
 * only what is durable here and what it `asked` for since it started, so
 * whatever else is there was registered by another life of it, or by another
 * node. The last epoch of all is not one of this start's own.
 */
export function registryFault(
  state: EncryptionState,
  writer: WriterName,
  { epochs, asked }: { readonly epochs: Epochs; readonly asked: Epochs },
): EpochRollbackError | NodeIdCollisionError | null {
  for (const [keyId, epoch] of epochs) {
    const row = rowAt(state, writer, keyId);
    if (row === null) continue;
    if (row.fullNodeId !== writer.fullNodeId) {
      return new NodeIdCollisionError(writer.node, row.fullNodeId);
    }
    const isStrange = row.lastEpoch === epoch && epoch < EPOCH_MAX &&
      asked.get(keyId) !== epoch;
    if (row.lastEpoch > epoch || isStrange) {
      const registered = row.lastEpoch;
      return new EpochRollbackError(writer.node, { keyId, epoch, registered });
    }
  }
  return null;
}
