import {
  EPOCH_MAX,
  KEYS_MAX,
  NO_KEY,
  SEALING_PURPOSES,
} from "../base/data_key.ts";
import { node16Of } from "../base/identity.ts";
import {
  brokenKeyRule,
  brokenNodeRule,
  isAscending,
  isEpoch,
  isKeyId,
  isNatural,
} from "./encryption_rules.ts";
import { compareWriters } from "./encryption_writers.ts";
import { RETIRED_MAX, WRITERS_MAX } from "./limits.ts";
import {
  type EncryptionState,
  type KeyEntry,
  writerId,
  type WriterRow,
} from "./types.ts";

/** The rule of an encryption state that `state` breaks, `null` for none. */
export function checkEncryptionState(state: EncryptionState): string | null {
  return brokenIndexRule(state) ?? brokenKeysRule(state) ??
    brokenActiveRule(state) ?? brokenRetiredRule(state) ??
    brokenWritersRule(state);
}

function brokenIndexRule(state: EncryptionState): string | null {
  const { stateIndex, storageCutoverIndex, raftCutoverIndex } = state;
  const marks = [
    storageCutoverIndex,
    raftCutoverIndex,
    state.cleartextLockIndex,
  ];
  if (![stateIndex, ...marks].every(isNatural)) {
    return "numbers must stay below 2^53";
  }
  if (marks.some((mark) => mark > stateIndex)) {
    return "no cutover or lock must come after the last change";
  }
  // A restored cluster has all three at its first index.
  for (const mark of [raftCutoverIndex, state.cleartextLockIndex]) {
    if (mark === 0) continue;
    if (storageCutoverIndex === 0 || mark < storageCutoverIndex) {
      return "records must be sealed before log entries, and before the lock";
    }
  }
  return null;
}

function brokenKeysRule(state: EncryptionState): string | null {
  const { keys, stateIndex } = state;
  if (keys.size > KEYS_MAX) return `there must be at most ${KEYS_MAX} keys`;
  if (!isAscending([...keys.keys()])) {
    return "keys must be in the order of their ids";
  }
  for (const [id, key] of keys) {
    if (key.id !== id) return "a key must be under its id";
    const rule = brokenKeyRule(key) ?? brokenEntryRule(key, stateIndex);
    if (rule !== null) return rule;
  }
  return null;
}

function brokenEntryRule(
  { createdIndex, deactivatedIndex }: KeyEntry,
  stateIndex: number,
): string | null {
  const isWithin = isNatural(createdIndex) && isNatural(deactivatedIndex) &&
    createdIndex > 0 && createdIndex <= stateIndex &&
    deactivatedIndex <= stateIndex;
  if (!isWithin) return "a key must come with a change";
  return deactivatedIndex === 0 || deactivatedIndex > createdIndex
    ? null
    : "a key must come before it is deactivated";
}

function brokenActiveRule(state: EncryptionState): string | null {
  const { keys, active, stateKey } = state;
  if (stateKey === NO_KEY) return brokenEmptyRule(state);
  if (keys.get(stateKey)?.purpose !== "state") {
    return "the state key must be a key of that purpose";
  }
  for (const purpose of SEALING_PURPOSES) {
    if (keys.get(active[purpose])?.purpose !== purpose) {
      return "an active key must be a key of its purpose";
    }
  }
  const current = new Set([stateKey, active.storage, active.raft]);
  for (const key of keys.values()) {
    if (current.has(key.id) !== (key.deactivatedIndex === 0)) {
      return "exactly the active keys must not be deactivated";
    }
  }
  return null;
}

function brokenEmptyRule(state: EncryptionState): string | null {
  const { stateIndex, keys, retired, active, writers } = state;
  const isEmpty = stateIndex === 0 && keys.size === 0 && retired.size === 0 &&
    writers.size === 0 && active.storage === NO_KEY && active.raft === NO_KEY;
  return isEmpty ? null : "without a state key there must be nothing";
}

function brokenRetiredRule({ keys, retired }: EncryptionState): string | null {
  if (retired.size > RETIRED_MAX) {
    return `there must be at most ${RETIRED_MAX} retired keys`;
  }
  const ids = [...retired];
  if (!ids.every(isKeyId)) return "a key's id must be a u32 above 0";
  if (!isAscending(ids)) {
    return "retired keys must be in the order of their ids";
  }
  return ids.some((id) => keys.has(id)) ? "no key must be retired" : null;
}

function brokenWritersRule(state: EncryptionState): string | null {
  const { keys, writers } = state;
  if (writers.size > WRITERS_MAX) {
    return `there must be at most ${WRITERS_MAX} writers`;
  }
  let last: WriterRow | null = null;
  for (const [id, row] of writers) {
    if (id !== writerId(row.keyId, row.node16)) {
      return "a writer must be under its id";
    }
    if (last !== null && compareWriters(last, row) >= 0) {
      return "writers must be in the order of their keys and nodes";
    }
    last = row;
    const purpose = keys.get(row.keyId)?.purpose;
    if (purpose === undefined || purpose === "state") {
      return "a writer's key must be one that seals";
    }
    const rule = brokenNodeRule(row.fullNodeId) ?? brokenEpochsRule(row);
    if (rule !== null) return rule;
    if (row.node16 !== node16Of(row.fullNodeId)) {
      return "a writer's node must have its own low bits";
    }
  }
  return null;
}

function brokenEpochsRule({ firstEpoch, lastEpoch }: WriterRow): string | null {
  return isEpoch(firstEpoch) && isEpoch(lastEpoch) && firstEpoch <= lastEpoch
    ? null
    : `epochs must rise, up to ${EPOCH_MAX}`;
}
