import {
  KV_MODEL,
  type KvInput,
  type KvOutput,
} from "../linearizability/kv_model.ts";
import { checkLinearizable, type Operation } from "../linearizability/wgl.ts";
import {
  type HistoryItem,
  mayRepeat,
  type Operation as Call,
} from "./history.ts";

type KvOperation = Operation<KvInput, KvOutput>;

/** A search that takes longer proves nothing, and says so. */
const STEPS_MAX = 2_000_000;

export interface LinearizabilityReport {
  /** One line for each key whose calls no order explains. */
  readonly faults: readonly string[];
  /** Keys whose search was given up. */
  readonly undecided: readonly string[];
}

/**
 * Looks for an order of the calls on each key that one copy of the database
 * could have answered: keys are independent of each other, so each is searched
 * by itself. Tallies, each a key of its own, are left out.
 *
 * Values are unique, so a read names the call that wrote, and its versionstamp
 * the time it was carried out. A write of unknown outcome, or one that may have
 * been sent again, stands in the history once for each versionstamp at which
 * it was seen, and had happened when it was. What nobody saw may have happened
 * too, but can explain nothing except a check that failed: such refusals are
 * left out where there is such a write.
 */
export function checkKeys(
  history: readonly HistoryItem[],
): LinearizabilityReport {
  const faults: string[] = [];
  const undecided: string[] = [];
  const calls = history.flatMap((item) =>
    isOfKey(item.op) ? [{ ...item, op: item.op }] : []
  );
  for (const [key, items] of Map.groupBy(calls, ({ op }) => op.key)) {
    const operations = operationsOf(items);
    const verdict = checkLinearizable(KV_MODEL, operations, STEPS_MAX);
    if (verdict.kind === "undecided") undecided.push(key);
    if (verdict.kind === "violation") {
      const stuck = verdict.stuck.map((operation) => JSON.stringify(operation));
      faults.push(`no order explains "${key}": none of ${stuck} can be next`);
    }
  }
  return { faults, undecided };
}

type KeyCall = Exclude<Call, { readonly kind: "tally" }>;
type WriteCall = Exclude<KeyCall, { readonly kind: "get" }>;
type KeyItem = Omit<HistoryItem, "op"> & { readonly op: KeyCall };

function isOfKey(op: Call): op is KeyCall {
  return op.kind !== "tally";
}

/** By value: the versionstamps at which it was seen, and until when at most. */
type Sightings = ReadonlyMap<string, ReadonlyMap<string, number>>;

function operationsOf(items: readonly KeyItem[]): KvOperation[] {
  const sightings = sightingsOf(items);
  const operations: KvOperation[] = [];
  const refusals: { readonly item: KeyItem; readonly op: WriteCall }[] = [];
  /** When the first write began that may have happened unseen. */
  let unseenMs = Infinity;
  for (const item of items) {
    const { op, result } = item;
    if (op.kind === "get") operations.push(...readsOf(item));
    else if (result.kind === "refused" && !mayRepeat(item)) {
      refusals.push({ item, op });
    } else if (result.kind !== "failed") {
      operations.push(...writesOf(item, op, sightings));
      const isSure = result.kind === "written" && !mayRepeat(item);
      if (!isSure) unseenMs = Math.min(unseenMs, item.invokeMs);
    }
  }
  for (const { item, op } of refusals) {
    if ((item.returnMs ?? Infinity) > unseenMs) continue;
    operations.push({
      ...timesOf(item),
      input: writeOf(op, op.value),
      output: { kind: "check-failed", failed: [0] },
    });
  }
  return operations;
}

function sightingsOf(items: readonly KeyItem[]): Sightings {
  const sightings = new Map<string, Map<string, number>>();
  for (const { result, returnMs } of items) {
    if (result.kind !== "read" || result.value === null) continue;
    const stamps = sightings.get(result.value) ?? new Map<string, number>();
    sightings.set(result.value, stamps);
    const stamp = result.versionstamp ?? "";
    const known = stamps.get(stamp) ?? Infinity;
    stamps.set(stamp, Math.min(known, returnMs ?? Infinity));
  }
  return sightings;
}

function readsOf(item: KeyItem): KvOperation[] {
  const { op, result } = item;
  if (result.kind !== "read") return [];
  const { key } = op;
  const { value, versionstamp: stamp } = result;
  const entries = value === null || stamp === null
    ? []
    : [{ key, value, stamp }];
  return [{
    ...timesOf(item),
    input: {
      kind: "read",
      ranges: [{ keys: [key], limit: 1, reverse: false }],
    },
    output: { kind: "entries", ranges: [entries] },
  }];
}

/** Once for its answer, and once for each other time at which it was seen. */
function writesOf(
  item: KeyItem,
  op: WriteCall,
  sightings: Sightings,
): KvOperation[] {
  const { result } = item;
  const own = result.kind === "written" ? result.versionstamp : null;
  const stamps = new Map<string, number>();
  const canBeElsewhere = own === null || (op.kind === "set" && mayRepeat(item));
  if (canBeElsewhere) {
    for (const [stamp, seenMs] of sightings.get(op.value) ?? []) {
      stamps.set(stamp, seenMs);
    }
  }
  if (own !== null) stamps.set(own, timesOf(item).returnedAt);
  return [...stamps].map(([stamp, returnedAt]) => ({
    input: writeOf(op, `${op.value}@${stamp}`),
    output: { kind: "committed", stamp },
    calledAt: item.invokeMs,
    returnedAt,
  }));
}

function writeOf(op: WriteCall, id: string): KvInput {
  const { key, value } = op;
  const checks = op.kind === "cas" ? [{ key, stamp: op.expected }] : [];
  return { kind: "write", id, checks, changes: [{ kind: "set", key, value }] };
}

function timesOf({ invokeMs, returnMs }: KeyItem) {
  return { calledAt: invokeMs, returnedAt: returnMs ?? Infinity };
}
