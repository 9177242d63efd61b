import { assert } from "../base/assert.ts";
import type { LatencyFigures } from "./latency.ts";

/** The middle of `values`, of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  assert(values.length > 0, "a median has values");
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)] as number;
  const low = sorted[Math.ceil(sorted.length / 2) - 1] as number;
  return (low + high) / 2;
}

/** Each figure by itself; `count` is of all rounds, `maxMs` of the worst. */
export function medianFigures(
  rounds: readonly LatencyFigures[],
): LatencyFigures {
  const of = (read: (figures: LatencyFigures) => number) =>
    median(rounds.map(read));
  return {
    count: rounds.reduce((sum, { count }) => sum + count, 0),
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    p999Ms: of(({ p999Ms }) => p999Ms),
    maxMs: Math.max(...rounds.map(({ maxMs }) => maxMs)),
  };
}
