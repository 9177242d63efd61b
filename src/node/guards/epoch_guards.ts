import { EPOCH_MAX, type KeyId } from "../../base/data_key.ts";
import { fullNodeId, node16Of } from "../../base/identity.ts";
import { writerId } from "../../fsm/types.ts";
import { EpochExhaustedError } from "../../keys/errors.ts";
import {
  EpochRollbackError,
  NodeIdCollisionError,
} from "../encryption/errors.ts";
import type { GuardFacts, StoreFacts } from "./facts.ts";
import type { Guard } from "./guard.ts";
import { knownOf } from "./reading.ts";

export const EPOCH_EXHAUSTED: Guard = {
  name: "LocalEpochExhausted",
  reads: ["sidecar"],
  check: (facts) => {
    const sidecar = knownOf(facts.sidecar);
    if (sidecar === null) return null;
    const { storage, raft } = sidecar.shared.active;
    const spent = [storage, raft].find((keyId) =>
      sidecar.epochs.get(keyId) === EPOCH_MAX
    );
    return spent === undefined ? null : new EpochExhaustedError(spent);
  },
};

export const NODE_ID_COLLISION: Guard = {
  name: "NodeIdCollision",
  reads: ["sidecar", "store"],
  check: checkCollision,
};

export const EPOCH_ROLLBACK: Guard = {
  name: "LocalEpochRollback",
  reads: ["sidecar", "store"],
  check: checkRollback,
};

/**
 * Only who seals has nonces: a cluster without encryption has none. One that is
 * about to be founded has the members that it is told.
 */
function checkCollision(facts: GuardFacts): NodeIdCollisionError | null {
  const store = knownOf(facts.store);
  const isInUse = facts.isEnabled || (store?.encryption.keys.size ?? 0) > 0;
  if (!isInUse) return null;
  const known = store?.members ?? [];
  const members = known.length === 0 ? facts.founders : known;
  const holders = new Map<number, string>();
  for (const name of new Set([...members, facts.node])) {
    const node16 = node16Of(fullNodeId(name));
    const other = holders.get(node16);
    if (other !== undefined) {
      return new NodeIdCollisionError(name, fullNodeId(other));
    }
    holders.set(node16, name);
  }
  return store === null ? null : checkRegistry(facts.node, store);
}

/** A member that is gone may have sealed under this one's 16 bits. */
function checkRegistry(
  node: string,
  { encryption }: StoreFacts,
): NodeIdCollisionError | null {
  const own = fullNodeId(node);
  const other = [...encryption.writers.values()].find((row) =>
    row.node16 === node16Of(own) && row.fullNodeId !== own
  );
  return other === undefined
    ? null
    : new NodeIdCollisionError(node, other.fullNodeId);
}

/**
 * A sidecar at rest has the last epoch that was used: the registry and the
 * session rows know none above it, unless an older sidecar was put back.
 */
function checkRollback(facts: GuardFacts): EpochRollbackError | null {
  const sidecar = knownOf(facts.sidecar);
  const store = knownOf(facts.store);
  if (sidecar === null || store === null) return null;
  for (const [keyId, epoch] of sidecar.epochs) {
    const registered = Math.max(
      registeredEpoch(store, facts.node, keyId),
      store.sessionEpochs.get(keyId) ?? 0,
    );
    if (epoch >= registered) continue;
    const finding = { keyId, epoch, registered };
    return new EpochRollbackError(facts.node, finding);
  }
  return null;
}

function registeredEpoch(
  { encryption }: StoreFacts,
  node: string,
  keyId: KeyId,
): number {
  const own = fullNodeId(node);
  const row = encryption.writers.get(writerId(keyId, node16Of(own)));
  return row?.fullNodeId === own ? row.lastEpoch : 0;
}
