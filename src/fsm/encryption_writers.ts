import { type KeyId } from "../base/data_key.ts";
import { node16Of } from "../base/identity.ts";
import {
  type EncryptionDecision,
  refused,
  taken,
} from "./encryption_decision.ts";
import { WRITERS_MAX } from "./limits.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  type WriterId,
  writerId,
  type WriterRow,
} from "./types.ts";

type Registration = Extract<EncryptionChange, { kind: "registration" }>;

/**
 * Decides about the sessions that one node claims, all or nothing.
 *
 *     row              claimed epoch    result
 *     none             any              insert
 *     same full id     above the last   advance
 *     same full id     the last         taken, no change
 *     same full id     below the last   epoch-rollback
 *     another full id  any              node-collision
 *
 * Epoch 0 is no exception: it inserts a candidate that has sealed nothing, and
 * is a rollback once that node has registered a session of its own.
 */
export function decideRegistration(
  state: EncryptionState,
  { fullNodeId, claims }: Registration,
): EncryptionDecision {
  const node16 = node16Of(fullNodeId);
  const changed = new Map<WriterId, WriterRow>();
  for (const { keyId, epoch } of claims) {
    const key = state.keys.get(keyId);
    if (key === undefined) {
      return refused("unknown-key", `there is no key ${keyId}`);
    }
    if (key.purpose === "state") {
      return refused("wrong-purpose", `key ${keyId} is the state key`);
    }
    const id = writerId(keyId, node16);
    const row = changed.get(id) ?? state.writers.get(id);
    if (row === undefined) {
      const [firstEpoch, lastEpoch] = [epoch, epoch];
      changed.set(id, { keyId, node16, fullNodeId, firstEpoch, lastEpoch });
    } else if (row.fullNodeId !== fullNodeId) {
      const [other, own] = [row.fullNodeId, fullNodeId].map(hexOf);
      const detail = `nodes ${other} and ${own} have the same low 16 bits`;
      return refused("node-collision", detail);
    } else if (epoch < row.lastEpoch) {
      const detail =
        `epoch ${epoch} of key ${keyId} is below ${row.lastEpoch}, its last`;
      return refused("epoch-rollback", detail);
    } else if (epoch > row.lastEpoch) {
      changed.set(id, { ...row, lastEpoch: epoch });
    }
  }
  if (changed.size === 0) return taken(state);
  const writers = inOrder(new Map([...state.writers, ...changed]));
  return writers.size > WRITERS_MAX
    ? refused("state-too-large", `there are ${WRITERS_MAX} writers`)
    : taken({ ...state, writers });
}

/** The row of that very node under that key; `null` for none. */
export function ownRow(
  state: EncryptionState,
  keyId: KeyId,
  fullNodeId: bigint,
): WriterRow | null {
  const row = state.writers.get(writerId(keyId, node16Of(fullNodeId)));
  return row?.fullNodeId === fullNodeId ? row : null;
}

/** Orders rows by key id, then node16: below 0 for `a` first. */
export function compareWriters(a: WriterRow, b: WriterRow): number {
  return a.keyId - b.keyId || a.node16 - b.node16;
}

function inOrder(
  writers: ReadonlyMap<WriterId, WriterRow>,
): ReadonlyMap<WriterId, WriterRow> {
  return new Map([...writers].sort(([, a], [, b]) => compareWriters(a, b)));
}

function hexOf(fullNodeId: bigint): string {
  return fullNodeId.toString(16).padStart(16, "0");
}
