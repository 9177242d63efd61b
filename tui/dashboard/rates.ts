import type { MemberVitals, Vitals } from "../../src/admin/client.ts";

/** A bound that so many of all stay below, in ms. */
export interface Quantile {
  readonly ms: number;
  /** Above the last bound that is counted by: `ms` is that bound. */
  readonly isOver: boolean;
}

/** What went on between two looks, a second each. */
export interface Rates {
  readonly requests: number;
  /** `null` when there were no requests. */
  readonly p50: Quantile | null;
  readonly p99: Quantile | null;
  readonly proposals: number;
  readonly walSyncs: number;
  readonly walBytes: number;
}

interface Bucket {
  /** Seconds; Infinity for the last. */
  readonly bound: number;
  readonly count: number;
}

/** All that was counted meanwhile. */
interface Interval {
  readonly seconds: number;
  readonly requests: number;
  readonly proposals: number;
  readonly walSyncs: number;
  readonly walBytes: number;
  /** Cumulative, bounds ascending. */
  readonly latency: readonly Bucket[];
}

/**
 * By the member's own clock; `null` when it began anew meanwhile, or when both
 * are the same look.
 */
export function ratesBetween(before: Vitals, after: Vitals): Rates | null {
  const interval = intervalOf(before, after);
  return interval === null ? null : ratesOf([interval]);
}

/** Of all members that answered both looks; `null` when none did. */
export function clusterRates(
  before: readonly MemberVitals[],
  after: readonly MemberVitals[],
): Rates | null {
  const intervals = after.flatMap(({ member, vitals }) => {
    const earlier = vitalsOf(before, member);
    if (vitals === null || earlier === null) return [];
    const interval = intervalOf(earlier, vitals);
    return interval === null ? [] : [interval];
  });
  return intervals.length === 0 ? null : ratesOf(intervals);
}

export function vitalsOf(
  members: readonly MemberVitals[],
  name: string,
): Vitals | null {
  return members.find(({ member }) => member === name)?.vitals ?? null;
}

/** `share` of (0, 1]; within a bucket it is taken to be even. */
export function quantileOf(
  latency: readonly Bucket[],
  share: number,
): Quantile | null {
  const total = latency.at(-1)?.count ?? 0;
  if (total <= 0) return null;
  const rank = share * total;
  let below: Bucket = { bound: 0, count: 0 };
  for (const bucket of latency) {
    if (bucket.count >= rank) {
      if (bucket.bound === Infinity) {
        return { ms: below.bound * 1_000, isOver: true };
      }
      const part = (rank - below.count) / (bucket.count - below.count);
      const seconds = below.bound + part * (bucket.bound - below.bound);
      return { ms: seconds * 1_000, isOver: false };
    }
    below = bucket;
  }
  return null;
}

function intervalOf(before: Vitals, after: Vitals): Interval | null {
  const seconds = Number(after.uptimeMs - before.uptimeMs) / 1_000;
  if (seconds <= 0 || after.requests < before.requests) return null;
  const earlier = new Map(
    before.latency.map(({ bound, count }) => [bound, count]),
  );
  return {
    seconds,
    requests: Number(after.requests - before.requests),
    proposals: Number(after.proposals - before.proposals),
    walSyncs: Number(after.walSyncs - before.walSyncs),
    walBytes: Number(after.walBytes - before.walBytes),
    latency: after.latency.map(({ bound, count }) => ({
      bound,
      count: Number(count - (earlier.get(bound) ?? 0n)),
    })),
  };
}

function ratesOf(intervals: readonly Interval[]): Rates {
  const latency = mergedLatency(intervals);
  const sum = (of: (interval: Interval) => number) =>
    intervals.reduce((all, one) => all + of(one) / one.seconds, 0);
  return {
    requests: sum((one) => one.requests),
    p50: quantileOf(latency, 0.5),
    p99: quantileOf(latency, 0.99),
    proposals: sum((one) => one.proposals),
    walSyncs: sum((one) => one.walSyncs),
    walBytes: sum((one) => one.walBytes),
  };
}

/** One program has one set of bounds: only versions may differ in them. */
function mergedLatency(intervals: readonly Interval[]): readonly Bucket[] {
  const bounds = new Set(
    intervals.flatMap(({ latency }) => latency.map(({ bound }) => bound)),
  );
  return [...bounds].sort((a, b) => a - b).map((bound) => ({
    bound,
    count: intervals.reduce(
      (all, { latency }) => all + countUpTo(latency, bound),
      0,
    ),
  }));
}

/** As far as its own bounds tell. */
function countUpTo(latency: readonly Bucket[], bound: number): number {
  return latency.findLast((bucket) => bucket.bound <= bound)?.count ?? 0;
}
