import { assert } from "../base/assert.ts";
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { EPOCH_MAX, type KeyId, SEALING_PURPOSES } from "../base/data_key.ts";
import {
  EpochExhaustedError,
  KeyConflictError,
  KeyUnknownError,
} from "./errors.ts";
import type { SharedKeys } from "./port.ts";
import type { SidecarContent } from "./sidecar.ts";

/** What an entry or a checkpoint brought. */
export interface Brought {
  readonly node: string;
  readonly clusterId: Bytes;
  readonly shared: SharedKeys;
  /** What the registry knows of this node under a key; 0 for no row. */
  readonly ownLastEpoch: (keyId: KeyId) => number;
}

/**
 * The sidecar after what was brought; `before` itself when it stays.
 *
 * 1. It never goes back: an older state is of an entry that is replayed, or of
 *    an older checkpoint, after a crash between sidecar and store. A key that
 *    is missing in the sidecar then was retired since.
 * 2. A key in the sidecar keeps its epoch; one first seen starts above what
 *    the registry knows of this node.
 * 3. An id is one key for ever.
 *
 * @throws {KeyConflictError}
 * @throws {EpochExhaustedError} An active key, first seen, has no epoch left.
 */
export function absorbShared(
  before: SidecarContent | null,
  { node, clusterId, shared, ownLastEpoch }: Brought,
): SidecarContent | null {
  if (before !== null) {
    const isOwn = equalBytes(before.clusterId, clusterId);
    assert(isOwn, "a data dir never changes its cluster");
    checkConflicts(before.shared, shared);
    if (shared.stateIndex < before.shared.stateIndex) return before;
  }
  if (shared.keys.size === 0) return before;
  const epochs = new Map<KeyId, number>();
  for (const id of shared.keys.keys()) {
    const known = before?.epochs.get(id);
    epochs.set(id, known ?? firstEpoch(id, shared, ownLastEpoch(id)));
  }
  return { node, clusterId, shared, epochs };
}

/** Every key's next epoch; the last one stays. */
export function raiseEpochs(before: SidecarContent): SidecarContent {
  const raised = [...before.epochs].map(([id, epoch]): [KeyId, number] => [
    id,
    Math.min(epoch + 1, EPOCH_MAX),
  ]);
  return { ...before, epochs: new Map(raised) };
}

/**
 * One key's next epoch, and one above `above`.
 *
 * @throws {EpochExhaustedError}
 * @throws {KeyUnknownError}
 */
export function takeEpoch(
  before: SidecarContent | null,
  keyId: KeyId,
  above: number,
): { readonly after: SidecarContent; readonly epoch: number } {
  const current = before?.epochs.get(keyId);
  if (before === null || current === undefined) {
    throw new KeyUnknownError(keyId, null);
  }
  const epoch = Math.max(current, above) + 1;
  if (epoch > EPOCH_MAX) throw new EpochExhaustedError(keyId);
  const epochs = new Map(before.epochs).set(keyId, epoch);
  return { after: { ...before, epochs }, epoch };
}

function checkConflicts(before: SharedKeys, brought: SharedKeys): void {
  for (const key of brought.keys.values()) {
    const known = before.keys.get(key.id);
    if (known === undefined) continue;
    if (known.purpose !== key.purpose) {
      throw new KeyConflictError(key.id, "purpose");
    }
    if (!equalBytes(known.commitment, key.commitment)) {
      throw new KeyConflictError(key.id, "commitment");
    }
  }
}

function firstEpoch(
  id: KeyId,
  { active }: SharedKeys,
  ownLastEpoch: number,
): number {
  const isEpoch = Number.isInteger(ownLastEpoch) && ownLastEpoch >= 0 &&
    ownLastEpoch <= EPOCH_MAX;
  assert(isEpoch, "a registered epoch has 16 bits");
  if (ownLastEpoch < EPOCH_MAX) return ownLastEpoch + 1;
  // Nothing is sealed any more under a key that is not active.
  if (SEALING_PURPOSES.some((purpose) => active[purpose] === id)) {
    throw new EpochExhaustedError(id);
  }
  return EPOCH_MAX;
}
