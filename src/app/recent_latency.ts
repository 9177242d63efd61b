import type { Histogram } from "../base/metrics.ts";
import type { Clock, Timer } from "../io/clock.ts";

type Buckets = ReturnType<Histogram["buckets"]>;

const SAMPLE_MS = 30_000;
const WINDOW_MS = 300_000;

/** Takes the requests of the last five minutes out of counts since the start. */
export class RecentLatency {
  readonly #read: () => Buckets;
  readonly #clock: Clock;
  /** Oldest first; the first is what the window begins with. */
  readonly #samples: { readonly atMs: number; readonly buckets: Buckets }[] =
    [];
  #timer: Timer | null = null;

  /** `read` gives cumulative counts of the same bounds each time. */
  constructor(read: () => Buckets, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
    this.#sample();
  }

  /** Of the last five minutes, or up to half a minute more. */
  tell(): Buckets {
    const before = this.#samples[0]?.buckets ?? [];
    return this.#read().map(({ bound, count }, i) => (
      { bound, count: count - (before[i]?.count ?? 0) }
    ));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #sample(): void {
    const atMs = this.#clock.monotonicMs();
    this.#samples.push({ atMs, buckets: this.#read() });
    while ((this.#samples[1]?.atMs ?? Infinity) <= atMs - WINDOW_MS) {
      this.#samples.shift();
    }
    this.#timer = this.#clock.after(SAMPLE_MS, () => this.#sample());
  }
}
