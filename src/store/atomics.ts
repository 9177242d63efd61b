import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  KV_BATCH_BYTES_MAX,
  KV_BATCH_KEY_BYTES_MAX,
  KV_MUTATIONS_MAX,
  type KvBatch,
  type KvKey,
  type KvRow,
} from "../io/kv.ts";
import { kvKeyBytes } from "../io/kv_key.ts";

/** The new state of one row; `null` deletes it. */
export interface RowChange {
  readonly key: KvKey;
  readonly value: Bytes | null;
}

/** Size of changes as one backing atomic counts it. */
export interface AtomicCost {
  readonly mutations: number;
  readonly bytes: number;
  readonly keyBytes: number;
}

export const NO_COST: AtomicCost = { mutations: 0, bytes: 0, keyBytes: 0 };

export function addCost(a: AtomicCost, b: AtomicCost): AtomicCost {
  return {
    mutations: a.mutations + b.mutations,
    bytes: a.bytes + b.bytes,
    keyBytes: a.keyBytes + b.keyBytes,
  };
}

/** Cost of setting a row, from the lengths of its encoded key and value. */
export function setCost(keyBytes: number, valueBytes: number): AtomicCost {
  return { mutations: 1, bytes: 2 * keyBytes + valueBytes, keyBytes };
}

export function deleteCost(keyBytes: number): AtomicCost {
  return { mutations: 1, bytes: keyBytes, keyBytes: 0 };
}

export function changeCost({ key, value }: RowChange): AtomicCost {
  const keyBytes = kvKeyBytes(key);
  return value === null
    ? deleteCost(keyBytes)
    : setCost(keyBytes, value.length);
}

export function fitsAtomic(cost: AtomicCost): boolean {
  return cost.mutations <= KV_MUTATIONS_MAX &&
    cost.bytes <= KV_BATCH_BYTES_MAX &&
    cost.keyBytes <= KV_BATCH_KEY_BYTES_MAX;
}

/**
 * Splits `items` into groups in order, each within one atomic together with
 * `reserved`.
 */
export function groupByAtomic<Item>(
  items: readonly Item[],
  costOf: (item: Item) => AtomicCost,
  reserved: AtomicCost = NO_COST,
): readonly (readonly Item[])[] {
  const groups: Item[][] = [];
  let group: Item[] = [];
  let sum = reserved;
  for (const item of items) {
    const cost = costOf(item);
    const next = addCost(sum, cost);
    if (fitsAtomic(next)) {
      sum = next;
    } else {
      assert(group.length > 0, "one item fits into one atomic");
      groups.push(group);
      group = [];
      sum = addCost(reserved, cost);
    }
    group.push(item);
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** The backing batch of `changes`, which name each key once. */
export function toBatch(changes: readonly RowChange[]): KvBatch {
  const sets: KvRow[] = [];
  const deletes: KvKey[] = [];
  for (const { key, value } of changes) {
    if (value === null) deletes.push(key);
    else sets.push({ key, value });
  }
  return { sets, deletes };
}
