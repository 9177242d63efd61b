import type { Clock, Timer } from "../../../src/io/clock.ts";
import type { SimClock } from "../io/clock.ts";
import type { Life } from "./life.ts";

/** How a machine's clocks stray from true time. */
export class Skew {
  /** Its ms per true ms. */
  rate = 1;
  /** Added to its wall clock. */
  wallOffsetMs = 0;
  #rateSinceMs = 0;
  #localMs = 0;
  readonly #time: SimClock;

  constructor(time: SimClock) {
    this.#time = time;
  }

  /** Local monotonic time; never goes back when the rate changes. */
  localMs(): number {
    const passed = this.#time.monotonicMs() - this.#rateSinceMs;
    return this.#localMs + passed * this.rate;
  }

  setRate(rate: number): void {
    this.#localMs = this.localMs();
    this.#rateSinceMs = this.#time.monotonicMs();
    this.rate = rate;
  }
}

/** Loop turns of a process are that far apart, at most. */
const TURN_MS_MAX = 0.02;

/**
 * The clock of one life of a machine. While it is held, time goes on: timers
 * that came due fire late, all at once.
 */
export function hostClock(
  life: Life,
  skew: Skew,
  draw: (untilMs: number) => number,
): Clock {
  const { time } = life.host;
  const start = time.wallMs() - time.monotonicMs();
  const after = (delayMs: number, task: () => void): Timer => {
    const timer = time.after(delayMs / skew.rate, () =>
      life.run(() => {
        if (!isCancelled) task();
      }));
    let isCancelled = false;
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  };
  return {
    wallMs: () => Math.floor(start + skew.localMs() + skew.wallOffsetMs),
    monotonicMs: () => skew.localMs(),
    after,
    soon: (task) => life.later(draw(TURN_MS_MAX), task),
  };
}
