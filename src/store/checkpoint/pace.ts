import { assert } from "../../base/assert.ts";
import type { Clock } from "../../io/clock.ts";

/** Keeps a copy at so many bytes per second, so that others get the disk. */
export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  /** Monotonic ms at which all bytes so far are paid for. */
  #paidAtMs = 0;

  constructor(clock: Clock, bytesPerSecond: number) {
    assert(bytesPerSecond > 0, "a pace is above 0 bytes per second");
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when `bytes` may follow, or `hurry` has: debts are dropped then. */
  async spend(bytes: number, hurry: Promise<void>): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const takesMs = bytes * 1_000 / this.#bytesPerSecond;
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + takesMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(this.#paidAtMs - nowMs, resolve);
    await Promise.race([promise, hurry]);
    timer.cancel();
    this.#paidAtMs = Math.min(this.#paidAtMs, this.#clock.monotonicMs());
  }
}
