import type {
  ModelEntry,
  ModelRange,
} from "../../../linearizability/kv_model.ts";
import { fail } from "../../raft/checkers.ts";
import type { Truth } from "../truth.ts";

/** A read that was answered. */
export interface EndedRead {
  readonly id: string;
  readonly isStrong: boolean;
  /** Last entry of which anybody was told before the call. */
  readonly knownAtCall: number;
  readonly ranges: readonly ModelRange[];
  readonly entries: readonly (readonly ModelEntry[])[];
}

/** Entries [from, until) after which a key looked like that. */
interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * A read shows one state that the log went through, an eventual one any, a
 * strong one none older than what somebody knew when it was asked.
 */
export function checkRead(truth: Truth, read: EndedRead): void {
  const { id, isStrong, knownAtCall, ranges, entries } = read;
  let spans: readonly Span[] = [{
    from: isStrong ? knownAtCall : 0,
    until: truth.last + 1,
  }];
  ranges.forEach((range, i) => {
    const found = entries[i] ?? [];
    for (const key of shownKeys(range, found)) {
      const entry = found.find((item) => item.key === key) ?? null;
      spans = intersect(spans, spansOf(truth, key, entry));
    }
  });
  if (spans.length > 0) return;
  const shown = entries.flat().map(({ key, value }) => `${key}=${value}`);
  fail(
    isStrong ? "StaleRead" : "TornRead",
    `${id} saw ${shown.join(" ") || "nothing"}, known ${knownAtCall}`,
  );
}

/** Keys of whose presence or absence the answer says something. */
function shownKeys(
  { keys, limit, reverse }: ModelRange,
  entries: readonly ModelEntry[],
): readonly string[] {
  const last = entries.at(-1)?.key;
  if (entries.length < limit || last === undefined) return keys;
  return keys.filter((key) => reverse ? key >= last : key <= last);
}

function spansOf(
  truth: Truth,
  key: string,
  entry: ModelEntry | null,
): readonly Span[] {
  const versions = truth.versions(key);
  const spans: Span[] = [];
  if (entry === null) {
    spans.push({ from: 0, until: versions[0]?.from ?? Infinity });
  }
  versions.forEach(({ from, value, stamp }, i) => {
    const isIt = entry === null
      ? stamp === null
      : stamp === entry.stamp && value === entry.value;
    if (isIt) spans.push({ from, until: versions[i + 1]?.from ?? Infinity });
  });
  return spans;
}

function intersect(
  some: readonly Span[],
  others: readonly Span[],
): readonly Span[] {
  return some.flatMap((a) =>
    others.map((b) => ({
      from: Math.max(a.from, b.from),
      until: Math.min(a.until, b.until),
    }))
  ).filter(({ from, until }) => from < until);
}
