import { compareBytes } from "../base/bytes.ts";
import type { DatabaseNumber, Mutation } from "../fsm/types.ts";
import type { Overlay } from "./overlay.ts";
import {
  isExpired,
  isPoint,
  type StoreEntry,
  type StoreRange,
} from "./read.ts";

/** What lies over a range; a point needs no order. */
export function laidOver(
  overlay: Overlay,
  database: DatabaseNumber,
  range: StoreRange,
): readonly Mutation[] {
  if (!isPoint(range)) return overlay.range(database, range);
  const found = overlay.find({ database, key: range.start });
  return found === null ? [] : [found];
}

/** How many stored entries `mutations` may take out of a range. */
export function hiddenCount(
  mutations: readonly Mutation[],
  clockMs: number,
): number {
  return mutations.filter(({ record }) =>
    record === null || isExpired(record, clockMs)
  ).length;
}

/**
 * Lays `mutations`, ascending, over the stored `entries` of a range; `null`
 * when more entries must be known.
 */
export function mergeRange(given: {
  readonly range: StoreRange;
  readonly entries: readonly StoreEntry[];
  /** There are no entries after these. */
  readonly isAll: boolean;
  readonly mutations: readonly Mutation[];
  readonly clockMs: number;
}): readonly StoreEntry[] | null {
  const { range, entries, isAll, clockMs } = given;
  const { limit, reverse } = range;
  const sign = reverse ? -1 : 1;
  const mutations = reverse ? given.mutations.toReversed() : given.mutations;
  const last = entries.at(-1);
  const merged: StoreEntry[] = [];
  let at = 0;
  for (const { key, record } of mutations) {
    const beyond = !isAll && last !== undefined &&
      sign * compareBytes(key, last.key) > 0;
    if (beyond) break;
    let entry = entries[at];
    while (entry !== undefined && sign * compareBytes(entry.key, key) < 0) {
      merged.push(entry);
      at += 1;
      entry = entries[at];
    }
    if (entry !== undefined && compareBytes(entry.key, key) === 0) at += 1;
    if (record !== null && !isExpired(record, clockMs)) {
      merged.push({ key, ...record });
    }
  }
  for (const entry of entries.slice(at)) merged.push(entry);
  if (!isAll && merged.length < limit) return null;
  merged.length = Math.min(merged.length, limit);
  return merged;
}
