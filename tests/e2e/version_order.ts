/*
 * Goal: a history is one order of calls that respects time: no stale read, no
 * lost or invented write, no two winners of one check.
 * Method: versionstamps are the order that the cluster claims. It is compared
 * with what each call saw, and with the times at which calls began and ended.
 * Fast on long histories, and it knows that clients repeat calls; the search of
 * `tests/linearizability`, which believes no versionstamp, is the other half.
 */
import {
  type HistoryItem,
  isAcknowledged,
  mayRepeat,
  type Operation,
} from "./history.ts";

/** Before every versionstamp: what an absent key has. */
const ABSENT = "";

type Write = Exclude<Operation, { readonly kind: "get" }>;

/** One line for each contradiction; none for a good history. */
export function versionOrderFaults(history: readonly HistoryItem[]): string[] {
  const byKey = Map.groupBy(
    history,
    ({ op }) => op.kind === "tally" ? null : op.key,
  );
  const faults = [...repeatedStamps(history), ...backwardWrites(history)];
  const writers = new Map<string, HistoryItem>();
  for (const item of history) {
    if (item.op.kind !== "get") writers.set(item.op.value, item);
  }
  for (const [key, items] of byKey) {
    if (key === null) continue;
    const stamps = stampsOf(items);
    faults.push(...strangeReads(items, writers));
    faults.push(...ambiguousStamps(items));
    faults.push(...staleReads(items));
    faults.push(...sharedChecks(items, stamps));
    faults.push(...groundlessRefusals(items));
  }
  return faults;
}

/** The versionstamp that the call saw or made; `null` when it saw none. */
function stampOf({ result }: HistoryItem): string | null {
  if (result.kind === "written") return result.versionstamp;
  if (result.kind === "read") return result.versionstamp ?? ABSENT;
  return null;
}

function stampsOf(items: readonly HistoryItem[]): readonly string[] {
  const stamps = new Set(items.map(stampOf));
  return [...stamps].filter((stamp) => stamp !== null).sort();
}

/** Two writes with one versionstamp. */
function repeatedStamps(history: readonly HistoryItem[]): string[] {
  const writes = history.filter(isAcknowledged);
  return [...Map.groupBy(writes, stampOf).values()]
    .filter((items) => items.length > 1)
    .map((items) => `one versionstamp twice: ${items.map(show).join(" and ")}`);
}

/** A write that is ordered before what had been seen when it began. */
function backwardWrites(history: readonly HistoryItem[]): string[] {
  return afterTheSeen(history).flatMap(({ item, seen }) =>
    isAcknowledged(item) &&
      (stampOf(item) ?? ABSENT) <= (stampOf(seen) ?? ABSENT)
      ? [`a write before what was there: ${show(item)} after ${show(seen)}`]
      : []
  );
}

/** A read of less than had been seen of the key when it began. */
function staleReads(items: readonly HistoryItem[]): string[] {
  return afterTheSeen(items).flatMap(({ item, seen }) =>
    item.result.kind === "read" &&
      (stampOf(item) ?? ABSENT) < (stampOf(seen) ?? ABSENT)
      ? [`a stale read: ${show(item)} after ${show(seen)}`]
      : []
  );
}

/**
 * Each answered call with the latest versionstamp among the calls that had
 * returned before it was invoked; calls before which nothing was seen are left
 * out.
 */
function afterTheSeen(
  items: readonly HistoryItem[],
): { readonly item: HistoryItem; readonly seen: HistoryItem }[] {
  const answered = items.filter((item) =>
    item.returnMs !== null && stampOf(item) !== null
  );
  const byReturn = answered.toSorted((a, b) =>
    (a.returnMs ?? 0) - (b.returnMs ?? 0)
  );
  const pairs: { item: HistoryItem; seen: HistoryItem }[] = [];
  let seen: HistoryItem | null = null;
  let next = 0;
  for (const item of answered.toSorted((a, b) => a.invokeMs - b.invokeMs)) {
    for (; next < byReturn.length; next += 1) {
      const before = byReturn[next]!;
      if ((before.returnMs ?? 0) >= item.invokeMs) break;
      if (seen === null || (stampOf(before) ?? "") > (stampOf(seen) ?? "")) {
        seen = before;
      }
    }
    if (seen !== null) pairs.push({ item, seen });
  }
  return pairs;
}

/** A read of what nobody can have written there by then, or like that. */
function strangeReads(
  items: readonly HistoryItem[],
  writers: ReadonlyMap<string, HistoryItem>,
): string[] {
  return items.flatMap((item) => {
    const { op, result } = item;
    if (result.kind !== "read" || result.value === null) return [];
    const writer = writers.get(result.value);
    if (
      writer === undefined || op.kind === "tally" ||
      writer.op.kind === "get" || writer.op.kind === "tally" ||
      writer.op.key !== op.key
    ) return [`a value that nobody wrote: ${show(item)}`];
    if (writer.invokeMs > (item.returnMs ?? Infinity)) {
      return [`a read of the future: ${show(item)} of ${show(writer)}`];
    }
    return isPossible(writer, writer.op, result.versionstamp)
      ? []
      : [`a write that did not happen so: ${show(item)} of ${show(writer)}`];
  });
}

/** True if the write can have happened at `versionstamp`. */
function isPossible(
  writer: HistoryItem,
  op: Write,
  versionstamp: string | null,
): boolean {
  const { result } = writer;
  if (result.kind === "unknown") return true;
  if (result.kind === "failed") return false;
  if (result.kind === "written" && result.versionstamp === versionstamp) {
    return true;
  }
  // A check lets a repeated call happen once, and then says "refused".
  if (op.kind !== "set" && result.kind === "written") return false;
  return mayRepeat(writer);
}

/** One versionstamp of a key with two values. */
function ambiguousStamps(items: readonly HistoryItem[]): string[] {
  const seen = new Map<string, { value: string | null; item: HistoryItem }>();
  const faults: string[] = [];
  for (const item of items) {
    const stamp = stampOf(item);
    const { op, result } = item;
    if (stamp === null) continue;
    const value = result.kind === "read"
      ? result.value
      : op.kind === "get"
      ? null
      : op.value;
    const known = seen.get(stamp);
    if (known === undefined) seen.set(stamp, { value, item });
    else if (known.value !== value) {
      faults.push(`two values at one time: ${show(item)}, ${show(known.item)}`);
    }
  }
  return faults;
}

/** A check that held although the key had changed since. */
function sharedChecks(
  items: readonly HistoryItem[],
  stamps: readonly string[],
): string[] {
  return items.flatMap((item) => {
    const { op, result } = item;
    if (op.kind !== "cas" || result.kind !== "written") return [];
    const from = op.expected ?? ABSENT;
    const between = stamps.find((stamp) =>
      stamp > from && stamp < result.versionstamp
    );
    if (result.versionstamp > from && between === undefined) return [];
    return [`a check that should fail: ${show(item)}, ${between} is between`];
  });
}

/** A check that failed although nobody can have changed the key. */
function groundlessRefusals(items: readonly HistoryItem[]): string[] {
  const writes = items.filter((item) =>
    item.op.kind !== "get" && item.result.kind !== "failed" &&
    // One that was repeated can have held first, and then refused itself.
    (item.result.kind !== "refused" || mayRepeat(item))
  );
  return items.flatMap((item) => {
    const { op, result, returnMs } = item;
    if (op.kind !== "cas" || result.kind !== "refused") return [];
    const from = op.expected ?? ABSENT;
    const hasGround = mayRepeat(item) ||
      writes.some((write) =>
        write.invokeMs < (returnMs ?? Infinity) &&
        (mayRepeat(write) || (stampOf(write) ?? "~") > from)
      );
    return hasGround ? [] : [`a check that should hold: ${show(item)}`];
  });
}

function show({ client, op, invokeMs, returnMs, result }: HistoryItem): string {
  const at = `${invokeMs.toFixed(3)}–${returnMs?.toFixed(3) ?? ""}`;
  return `[${client} ${at} ${JSON.stringify(op)} → ${JSON.stringify(result)}]`;
}
