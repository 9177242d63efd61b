import { assert } from "../base/assert.ts";

/** What a run of requests showed; latencies in ms. */
export interface LatencyFigures {
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Keeps every latency of a run: exact percentiles, 8 bytes a request. */
export class Latencies {
  #values = new Float64Array(65_536);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count] = ms;
    this.#count += 1;
  }

  /** Figures over all latencies, which took `elapsedMs` by the wall. */
  figures(elapsedMs: number): LatencyFigures {
    assert(this.#count > 0, "a run has requests");
    const sorted = this.#values.slice(0, this.#count).sort();
    const at = (share: number) => {
      const rank = Math.ceil(share * sorted.length) - 1;
      return sorted[Math.max(rank, 0)] as number;
    };
    return {
      count: this.#count,
      perSecond: this.#count / elapsedMs * 1000,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      p999Ms: at(0.999),
      maxMs: at(1),
    };
  }
}
