import type { Clock, Timer } from "../io/clock.ts";
import type { RecordKey } from "../fsm/types.ts";
import { CLOCK_PROPOSAL_MS_MIN, SWEEP_ROWS_MAX } from "./limits.ts";

/** What expiry needs of its node. */
export interface ExpiryHost {
  /** Asks for a clock entry; does nothing on a member that does not lead. */
  proposeClock(wallMs: number): void;
  /** Records that are gone. */
  expired(keys: readonly RecordKey[]): void;
  halted(error: Error): void;
}

/** What expiry needs of the store. */
export interface ExpiringStore {
  readonly state: { readonly fsm: { readonly clockMs: number } };
  nextExpiryMs(): number | null;
  sweep(clockMs: number, rowsMax: number): Promise<readonly RecordKey[]>;
}

/** Longest sleep: `setTimeout` takes no more than 2^31 - 1 ms. */
const SLEEP_MS_MAX = 3_600_000;

/**
 * Ends records in time: when one is due by the leader's clock, the replicated
 * clock is moved on (from then on nobody sees the record), and each member
 * removes what its applied clock has passed.
 */
export class Expiry {
  readonly #clock: Clock;
  readonly #store: ExpiringStore;
  readonly #host: ExpiryHost;
  #timer: Timer | null = null;
  #wakeAtMs = 0;
  #sweeping: Promise<void> | null = null;
  #stopped = false;

  constructor(clock: Clock, store: ExpiringStore, host: ExpiryHost) {
    this.#clock = clock;
    this.#store = store;
    this.#host = host;
  }

  /** Looks again: entries were applied, so due times may have changed. */
  wake(): void {
    if (this.#stopped || this.#sweeping !== null) return;
    const due = this.#store.nextExpiryMs();
    if (due === null) return;
    if (due <= this.#store.state.fsm.clockMs) {
      this.#sweeping = this.#sweep();
    } else this.#sleepUntil(due);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  #sleepUntil(dueMs: number): void {
    if (this.#timer !== null && this.#wakeAtMs === dueMs) return;
    this.#timer?.cancel();
    this.#wakeAtMs = dueMs;
    const wait = Math.max(dueMs - this.#clock.wallMs(), 0);
    this.#timer = this.#clock.after(Math.min(wait, SLEEP_MS_MAX), () => {
      this.#timer = null;
      const now = this.#clock.wallMs();
      if (now < dueMs) return this.wake();
      this.#host.proposeClock(now);
      this.#sleepUntil(now + CLOCK_PROPOSAL_MS_MIN);
    });
  }

  /** What is due and not stored yet is looked for again a little later. */
  async #sweep(): Promise<void> {
    let removed = 0;
    try {
      const clockMs = this.#store.state.fsm.clockMs;
      const keys = await this.#store.sweep(clockMs, SWEEP_ROWS_MAX);
      removed = keys.length;
      this.#host.expired(keys);
    } catch (error) {
      this.#stopped = true;
      this.#host.halted(
        error instanceof Error ? error : new Error(String(error)),
      );
    } finally {
      this.#sweeping = null;
    }
    if (removed > 0) this.wake();
    else if (!this.#stopped) this.#wakeLater();
  }

  #wakeLater(): void {
    this.#timer?.cancel();
    this.#wakeAtMs = 0;
    this.#timer = this.#clock.after(CLOCK_PROPOSAL_MS_MIN, () => {
      this.#timer = null;
      this.wake();
    });
  }
}
