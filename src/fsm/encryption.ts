import { assert, unreachable } from "../base/assert.ts";
import { NO_KEY } from "../base/data_key.ts";
import {
  type EncryptionDecision,
  refused,
  taken,
} from "./encryption_decision.ts";
import {
  decideBootstrap,
  decideRetirement,
  decideRewrap,
  decideRotation,
} from "./encryption_keys.ts";
import { decideRegistration } from "./encryption_writers.ts";
import type { EncryptionChange, EncryptionState, FsmState } from "./types.ts";

export type {
  EncryptionDecision,
  EncryptionRefusal,
  RefusalCode,
} from "./encryption_decision.ts";

/**
 * Decides what the encryption entry at `index` does.
 *
 * Total and deterministic: every member decides the same. A leader asks before
 * it proposes, with the index after the applied one.
 *
 * 1. A refusal changes nothing.
 * 2. What is taken moves `stateIndex` to `index`, but for a registration.
 * 3. A cutover or lock that is there already is taken and changes nothing.
 * 4. Whatever is taken fits ENCRYPTION_STATE_BYTES_MAX.
 */
export function decideEncryption(
  state: FsmState,
  index: number,
  change: EncryptionChange,
): EncryptionDecision {
  const { encryption } = state;
  assert(index > encryption.stateIndex, "an entry comes after those before it");
  if (state.clusterId === null) {
    return refused("not-founded", "the cluster has no id");
  }
  if (change.kind === "bootstrap") {
    return decideBootstrap(encryption, index, change);
  }
  if (encryption.stateKey === NO_KEY) {
    return refused("not-bootstrapped", "there are no keys");
  }
  switch (change.kind) {
    case "registration":
      return decideRegistration(encryption, change);
    case "rotate-dek":
      return decideRotation(encryption, index, change);
    case "rewrap-deks":
      return decideRewrap(encryption, index, change);
    case "retire-dek":
      return decideRetirement(encryption, index, change);
    case "enable-storage-envelope":
    case "enable-raft-envelope":
    case "seal-cleartext":
      return decideMark(encryption, index, change.kind);
    default:
      return unreachable(change);
  }
}

/**
 * How far sealing has come: 0 nothing is sealed, 1 records are, 2 log entries
 * are too.
 */
export function phaseOf(state: EncryptionState): 0 | 1 | 2 {
  if (state.raftCutoverIndex > 0) return 2;
  return state.storageCutoverIndex > 0 ? 1 : 0;
}

const MARKS = {
  "enable-storage-envelope": "storageCutoverIndex",
  "enable-raft-envelope": "raftCutoverIndex",
  "seal-cleartext": "cleartextLockIndex",
} as const;

/** Sets one of the indexes that are set once. */
function decideMark(
  state: EncryptionState,
  index: number,
  kind: keyof typeof MARKS,
): EncryptionDecision {
  const mark = MARKS[kind];
  if (state[mark] > 0) return taken(state);
  if (mark !== "storageCutoverIndex" && phaseOf(state) === 0) {
    return refused("storage-envelope-off", "records are not sealed yet");
  }
  return taken({ ...state, stateIndex: index, [mark]: index });
}
