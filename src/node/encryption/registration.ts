import { type KeyId, NO_KEY, SEALING_PURPOSES } from "../../base/data_key.ts";
import { fullNodeId } from "../../base/identity.ts";
import type { EncryptionState, WriterClaim } from "../../fsm/types.ts";
import { EpochRollbackError, NodeIdCollisionError } from "./errors.ts";
import { registeredEpoch, rowAt } from "./own_rows.ts";

/** A node's current epoch of every key that it has. */
export type Epochs = ReadonlyMap<KeyId, number>;

/**
 * What the applied registry has yet to show of `node`: its current epoch of
 * each active key. Epochs are never 0.
 */
export function missingClaims(
  state: EncryptionState,
  node: string,
  epochs: Epochs,
): readonly WriterClaim[] {
  const claims: WriterClaim[] = [];
  for (const purpose of SEALING_PURPOSES) {
    const keyId = state.active[purpose];
    const epoch = epochs.get(keyId);
    if (keyId === NO_KEY || epoch === undefined) continue;
    if (registeredEpoch(state, node, keyId) < epoch) {
      claims.push({ keyId, epoch });
    }
  }
  return claims.sort((a, b) => a.keyId - b.keyId);
}

/**
 * Why `node` must not go on by what the applied registry shows: it never
 * registers what is not durable here, so whatever is beyond it was registered
 * by another life of it, or by another node.
 */
export function registryFault(
  state: EncryptionState,
  node: string,
  epochs: Epochs,
): EpochRollbackError | NodeIdCollisionError | null {
  const own = fullNodeId(node);
  for (const [keyId, epoch] of epochs) {
    const row = rowAt(state, node, keyId);
    if (row === null) continue;
    if (row.fullNodeId !== own) {
      return new NodeIdCollisionError(node, row.fullNodeId);
    }
    if (row.lastEpoch > epoch) {
      const registered = row.lastEpoch;
      return new EpochRollbackError(node, { keyId, epoch, registered });
    }
  }
  return null;
}
