import { assert } from "../base/assert.ts";
import { type Bytes, EMPTY_BYTES } from "../base/bytes.ts";
import type { DatabaseNumber, Mutation } from "../fsm/types.ts";
import { KV_VALUE_BYTES_MAX } from "../io/kv.ts";
import {
  addCost,
  type AtomicCost,
  deleteCost,
  NO_COST,
  type RowChange,
  setCost,
} from "./atomics.ts";
import {
  encodeEncryption,
  ENCRYPTION_PARTS_MAX,
  ENCRYPTION_ROWS_BYTES_MAX,
} from "./encryption_row.ts";
import { encodeMembers, MEMBERS_ROW_BYTES_MAX } from "./members_row.ts";
import { encodeDatabase, type StoreState } from "./meta.ts";
import type { PlaceFilter } from "./place_filter.ts";
import { type EncodedRecord, encodeRecord, recordBytes } from "./record.ts";
import {
  assertClientKey,
  databaseKey,
  ENCRYPTION_KEY_BYTES_MAX,
  encryptionKey,
  expiryKey,
  MEMBERS_KEY,
  overflowKey,
  ROLLOUT_KEY,
  rowKey,
} from "./row_key.ts";
import { recordName } from "./record_name.ts";
import { encodeRollout, ROLLOUT_ROW_BYTES_MAX } from "./rollout_row.ts";
import type { RecordSealer } from "./sealer.ts";

/**
 * Records that are sealed at once: on a busy machine a hop to another thread
 * and back takes longer than the sealing.
 */
const SEALED_TOGETHER = 16;
/** Value of an expiry row; all it says is in its key. */
const EXPIRY_VALUE: Bytes = new Uint8Array([1]);
/** Escaping doubles a key at most; database, framing and hash come to it. */
const ROW_KEY_OVERHEAD_BYTES = 40;
/** First part, kind and time. */
const INTERNAL_KEY_OVERHEAD_BYTES = 13;
/** What the meta row costs at most; one to an atomic. */
export const META_COST = setCost(3, 40_960);

const MEMBERS_COST = setCost(3, MEMBERS_ROW_BYTES_MAX);

const ROLLOUT_COST = setCost(3, ROLLOUT_ROW_BYTES_MAX);

/** Every part is set, or deleted, which costs less. */
const ENCRYPTION_COST: AtomicCost = {
  mutations: ENCRYPTION_PARTS_MAX,
  bytes: ENCRYPTION_ROWS_BYTES_MAX +
    2 * ENCRYPTION_PARTS_MAX * ENCRYPTION_KEY_BYTES_MAX,
  keyBytes: ENCRYPTION_PARTS_MAX * ENCRYPTION_KEY_BYTES_MAX,
};

/**
 * What `mutations`, and members, rollout and encryption other than `prior` knew,
 * cost at most.
 */
export function batchCost(
  prior: StoreState,
  batch: {
    readonly state: StoreState;
    readonly mutations: readonly Mutation[];
  },
): AtomicCost {
  const { state, mutations } = batch;
  let cost = boundCost(mutations);
  if (prior.fsm.members !== state.fsm.members) {
    cost = addCost(cost, MEMBERS_COST);
  }
  if (prior.fsm.rollout !== state.fsm.rollout) {
    cost = addCost(cost, ROLLOUT_COST);
  }
  return isEncryptionSame(prior, state) ? cost : addCost(cost, ENCRYPTION_COST);
}

/** What `changesOf` costs at most, without encoding. */
export function boundCost(mutations: readonly Mutation[]): AtomicCost {
  let cost = NO_COST;
  for (const mutation of mutations) {
    cost = addCost(cost, mutationCost(mutation));
  }
  return cost;
}

function mutationCost({ key, record }: Mutation): AtomicCost {
  const keyBytes = 2 * key.length + ROW_KEY_OVERHEAD_BYTES;
  const internalBytes = keyBytes + INTERNAL_KEY_OVERHEAD_BYTES;
  if (record === null) {
    return addCost(deleteCost(keyBytes), deleteCost(internalBytes));
  }
  const bytes = recordBytes(key, record.value.data.length);
  const row = setCost(keyBytes, bytes);
  const expiry = record.expireAtMs === 0 ? NO_COST : setCost(internalBytes, 1);
  // A stale overflow row may have to go as well.
  const overflow = bytes > KV_VALUE_BYTES_MAX
    ? setCost(internalBytes, 0)
    : deleteCost(internalBytes);
  return addCost(addCost(row, expiry), overflow);
}

/** The last mutation of each key, in no particular order. */
export function lastMutations(
  batches: readonly (readonly Mutation[])[],
): readonly Mutation[] {
  const last = new Map<string, Mutation>();
  for (const mutations of batches) {
    for (const mutation of mutations) {
      last.set(recordName(mutation), mutation);
    }
  }
  return [...last.values()];
}
/**
 * Rows that bring records to the state of `mutations`, each of another key.
 * Notes new overflow rows in `overflows`.
 */
export async function changesOf(
  mutations: readonly Mutation[],
  options: {
    readonly sealer: RecordSealer;
    readonly overflows: PlaceFilter;
  },
): Promise<RowChange[]> {
  const { sealer, overflows } = options;
  const changes: RowChange[] = [];
  for (let at = 0; at < mutations.length; at += SEALED_TOGETHER) {
    const group = mutations.slice(at, at + SEALED_TOGETHER);
    const made = group.map((mutation) => encodeMutation(sealer, mutation));
    const encoded = made.some((one) => one instanceof Promise)
      ? await Promise.all(made)
      : made as readonly EncodedRecord[];
    group.forEach((mutation, i) => {
      addChanges(changes, overflows, {
        mutation,
        encoded: encoded[i] ?? NO_RECORD,
      });
    });
  }
  return changes;
}

function encodeMutation(
  sealer: RecordSealer,
  mutation: Mutation,
): EncodedRecord | Promise<EncodedRecord> {
  assertClientKey(mutation);
  const { record } = mutation;
  return record === null ? NO_RECORD : encodeRecord(sealer, mutation, record);
}

function addChanges(
  changes: RowChange[],
  overflows: PlaceFilter,
  { mutation, encoded }: {
    readonly mutation: Mutation;
    readonly encoded: EncodedRecord;
  },
): void {
  const { record } = mutation;
  const row = rowKey(mutation);
  const value = encoded === NO_RECORD ? null : encoded.row;
  changes.push({ key: row, value });
  if (encoded.overflow !== null) {
    overflows.add(mutation);
    changes.push({ key: overflowKey(row), value: encoded.overflow });
  } else if (overflows.mayHave(mutation)) {
    changes.push({ key: overflowKey(row), value: null });
  }
  if (record !== null && record.expireAtMs !== 0) {
    const key = expiryKey(record.expireAtMs, row);
    changes.push({ key, value: EXPIRY_VALUE });
  }
}
const NO_RECORD: EncodedRecord = { row: EMPTY_BYTES, overflow: null };

/** Rows of databases that have none yet; adds them to `stored`. */
export function databaseChanges(
  databases: ReadonlyMap<string, DatabaseNumber>,
  stored: Set<DatabaseNumber>,
): readonly RowChange[] {
  if (databases.size === stored.size) return [];
  const changes: RowChange[] = [];
  for (const [name, number] of databases) {
    if (stored.has(number)) continue;
    stored.add(number);
    changes.push({
      key: databaseKey(number),
      value: encodeDatabase(name, number),
    });
  }
  return changes;
}

/** The members row, when `next` has other members than `prior`. */
export function memberChanges(
  prior: StoreState,
  next: StoreState,
): readonly RowChange[] {
  const { members } = next.fsm;
  if (members === prior.fsm.members) return [];
  return [{ key: MEMBERS_KEY, value: encodeMembers(members) }];
}

/** The rollout row, when `next` has another rollout than `prior`. */
export function rolloutChanges(
  prior: StoreState,
  next: StoreState,
): readonly RowChange[] {
  const { rollout } = next.fsm;
  if (rollout === prior.fsm.rollout) return [];
  return [{ key: ROLLOUT_KEY, value: encodeRollout(rollout) }];
}

/** The encryption rows, when `next` has another state or MAC than `prior`. */
export function encryptionChanges(
  prior: StoreState,
  next: StoreState,
): readonly RowChange[] {
  if (isEncryptionSame(prior, next)) return [];
  const { fsm: { encryption }, encryptionMac } = next;
  const rows = encryptionMac === null
    ? []
    : encodeEncryption({ encryption, encryptionMac });
  // What a longer state had goes, too.
  return Array.from({ length: ENCRYPTION_PARTS_MAX }, (_, part) => ({
    key: encryptionKey(part),
    value: rows[part] ?? null,
  }));
}

function isEncryptionSame(prior: StoreState, next: StoreState): boolean {
  return prior.fsm.encryption === next.fsm.encryption &&
    prior.encryptionMac === next.encryptionMac;
}

/** Asserts what whoever makes a state keeps. */
export function assertState({ fsm, encryptionMac }: StoreState): void {
  const hasKeys = fsm.encryption.keys.size > 0;
  assert(
    hasKeys === (encryptionMac !== null),
    "an encryption state has a MAC exactly when it has keys",
  );
}
