import type { Clock } from "../io/clock.ts";

/**
 * How long rows wait for company: each atomic syncs the disk that the log syncs
 * too. What is not stored in a crash is applied again from the log.
 */
const STORE_DELAY_MS = 100;

/** The wait of rows for others to be stored with. */
export class StoreDelay {
  readonly #clock: Clock | null;
  #end: (() => void) | null = null;

  /** Without a clock nothing waits. */
  constructor(clock: Clock | null) {
    this.#clock = clock;
  }

  /** Resolves after STORE_DELAY_MS, or when `end` is called. */
  async wait(): Promise<void> {
    if (this.#clock === null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(STORE_DELAY_MS, resolve);
    this.#end = resolve;
    await promise;
    this.#end = null;
    timer.cancel();
  }

  end(): void {
    this.#end?.();
  }
}
