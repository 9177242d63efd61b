import { setImmediate } from "node:timers";
import type { Clock, Timer } from "../../../src/io/clock.ts";

/** A clock that moves only by hand. */
export class HandClock implements Clock {
  #nowMs = 1_000;
  #timers: readonly { readonly atMs: number; readonly task: () => void }[] = [];

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers = [...this.#timers, timer];
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
    };
  }

  soon(task: () => void): void {
    queueMicrotask(task);
  }

  get waiting(): number {
    return this.#timers.length;
  }

  /** Runs what is due by then, and all that is ready after it. */
  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { task } of due) task();
    await ready();
  }
}

/** Lets promises that can go on do so. */
export async function ready(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
