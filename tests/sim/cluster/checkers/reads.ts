import type {
  ModelEntry,
  ModelRange,
} from "../../../linearizability/kv_model.ts";
import { fail } from "../../raft/checkers.ts";
import type { Truth, Version } from "../truth.ts";

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
      const since = spans[0]?.from ?? Infinity;
      spans = intersect(spans, spansOf(truth, key, { entry, since }));
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

/** Ascending, those that end after `since`. */
function spansOf(
  truth: Truth,
  key: string,
  { entry, since }: { entry: ModelEntry | null; since: number },
): readonly Span[] {
  const versions = truth.versions(key);
  const spans: Span[] = [];
  for (let i = versions.length - 1; i >= -1; i -= 1) {
    const until = versions[i + 1]?.from ?? Infinity;
    if (until <= since) break;
    const version = versions[i] ?? ABSENT;
    const isIt = entry === null
      ? version.stamp === null
      : version.stamp === entry.stamp && version.value === entry.value;
    if (isIt) spans.push({ from: version.from, until });
  }
  return spans.reverse();
}

/** What a key is before its first version. */
const ABSENT: Version = {
  ...{ from: 0, position: 0, value: "", stamp: null, expireAtMs: 0 },
};

/** Both ascending; so is what they have in common. */
function intersect(
  some: readonly Span[],
  others: readonly Span[],
): readonly Span[] {
  const common: Span[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [a, b] = [some[i], others[j]];
    if (a === undefined || b === undefined) return common;
    const from = Math.max(a.from, b.from);
    const until = Math.min(a.until, b.until);
    if (from < until) common.push({ from, until });
    if (a.until <= b.until) i += 1;
    else j += 1;
  }
}
