import type { Model } from "./wgl.ts";

/** A value as text: equal text for equal values. */
export type ValueText = string;

/** What a write does to one key. `by` and bounds are integers. */
export type ModelChange =
  | { readonly kind: "set"; readonly key: string; readonly value: ValueText }
  | { readonly kind: "delete"; readonly key: string }
  | {
    readonly kind: "sum";
    readonly key: string;
    readonly by: bigint;
    /** Modulo 2^64; the others have no end. */
    readonly isU64: boolean;
    readonly min: bigint | null;
    readonly max: bigint | null;
    readonly clamp: boolean;
  };

export interface ModelCheck {
  readonly key: string;
  /** Hex digits; `null`: there is no such key. */
  readonly stamp: string | null;
}

/** A part of the group in order of keys, as `list` and `get` ask for it. */
export interface ModelRange {
  /** Ascending. */
  readonly keys: readonly string[];
  readonly limit: number;
  readonly reverse: boolean;
}

export type KvInput =
  | {
    readonly kind: "write";
    /** Unique in the history. */
    readonly id: string;
    readonly checks: readonly ModelCheck[];
    readonly changes: readonly ModelChange[];
  }
  /** All ranges from one state. */
  | { readonly kind: "read"; readonly ranges: readonly ModelRange[] };

export interface ModelEntry {
  readonly key: string;
  readonly value: ValueText;
  readonly stamp: string;
}

export type KvOutput =
  | { readonly kind: "committed"; readonly stamp: string }
  | { readonly kind: "check-failed"; readonly failed: readonly number[] }
  | { readonly kind: "rejected" }
  | {
    readonly kind: "entries";
    readonly ranges: readonly (readonly ModelEntry[])[];
  };

interface Cell {
  readonly value: ValueText;
  /** `?` and the write's id while nobody has seen it. */
  readonly stamp: string;
}

export type KvState = ReadonlyMap<string, Cell>;

const U64 = 2n ** 64n;
const UNSEEN = "?";

/**
 * Keys that one copy of Deno KV holds, with versionstamps.
 *
 * The versionstamp of a write of unknown outcome is not known until a read
 * shows it; until then a check of that key may go either way.
 */
export const KV_MODEL: Model<KvState, KvInput, KvOutput> = {
  initial: new Map(),
  step: (state, input, output) =>
    input.kind === "read"
      ? stepRead(state, input.ranges, output)
      : stepWrite(state, input, output),
  keyOf: (state) =>
    [...state].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([key, { value, stamp }]) => `${key}=${value}@${stamp}`).join(),
};

/** Text of a number, as sums leave it. */
export function numberText(value: bigint, isU64: boolean): ValueText {
  return `${isU64 ? "u" : "n"}${value}`;
}

function stepRead(
  state: KvState,
  ranges: readonly ModelRange[],
  output: KvOutput | null,
): KvState | null {
  if (output === null) return state;
  if (output.kind !== "entries") return null;
  let after = state;
  for (const [i, range] of ranges.entries()) {
    const entries = output.ranges[i];
    const keys = range.keys.filter((key) => state.has(key));
    if (range.reverse) keys.reverse();
    const due = keys.slice(0, range.limit);
    if (entries?.length !== due.length) return null;
    for (const [j, entry] of entries.entries()) {
      const cell = after.get(entry.key);
      if (entry.key !== due[j] || cell?.value !== entry.value) return null;
      if (cell.stamp.startsWith(UNSEEN)) {
        after = seen(after, cell.stamp, entry.stamp);
      } else if (cell.stamp !== entry.stamp) return null;
    }
  }
  return after;
}

/** All that the write left has this versionstamp. */
function seen(state: KvState, unseen: string, stamp: string): KvState {
  return new Map(
    [...state].map(([key, cell]) =>
      cell.stamp === unseen ? [key, { ...cell, stamp }] : [key, cell]
    ),
  );
}

type Write = Extract<KvInput, { kind: "write" }>;

function stepWrite(
  state: KvState,
  write: Write,
  output: KvOutput | null,
): KvState | null {
  if (output?.kind === "check-failed") {
    return failsAsTold(state, write, output.failed) ? state : null;
  }
  let after = state;
  for (const check of write.checks) {
    const cell = after.get(check.key);
    if (cell?.stamp.startsWith(UNSEEN) && check.stamp !== null) {
      after = seen(after, cell.stamp, check.stamp);
    } else if ((cell?.stamp ?? null) !== check.stamp) {
      return output === null ? state : null;
    }
  }
  const stamp = output?.kind === "committed" ? output.stamp : UNSEEN + write.id;
  const changed = changeAll(after, write.changes, stamp);
  if (output?.kind === "rejected") return changed === null ? after : null;
  if (changed === null) return output === null ? state : null;
  return changed;
}

function failsAsTold(
  state: KvState,
  { checks }: Write,
  failed: readonly number[],
): boolean {
  return failed.length > 0 && checks.every(({ key, stamp }, i) => {
    const cell = state.get(key);
    if (cell?.stamp.startsWith(UNSEEN) && stamp !== null) return true;
    return ((cell?.stamp ?? null) !== stamp) === failed.includes(i);
  });
}

/** `null` when the write is refused as a whole. */
function changeAll(
  state: KvState,
  changes: readonly ModelChange[],
  stamp: string,
): KvState | null {
  if (changes.length === 0) return state;
  const after = new Map(state);
  for (const change of changes) {
    const { key } = change;
    if (change.kind === "delete") after.delete(key);
    else if (change.kind === "set") {
      after.set(key, { value: change.value, stamp });
    } else {
      const value = sum(after.get(key)?.value ?? null, change);
      if (value === null) return null;
      after.set(key, { value, stamp });
    }
  }
  return after;
}

function sum(
  stored: ValueText | null,
  { by, isU64, min, max, clamp }: Extract<ModelChange, { kind: "sum" }>,
): ValueText | null {
  // As Deno: the first operand is stored as it is, whatever the bounds.
  if (stored === null) return numberText(by, isU64);
  if (stored[0] !== (isU64 ? "u" : "n")) return null;
  const total = BigInt(stored.slice(1)) + by;
  if (isU64) return numberText(total % U64, true);
  const low = min !== null && total < min ? min : total;
  const held = max !== null && low > max ? max : low;
  return held === total || clamp ? numberText(held, false) : null;
}
