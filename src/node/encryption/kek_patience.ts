import { NodeError } from "../../base/error.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog, LogFields } from "../../io/log.ts";
import type { LogIndex } from "../../raft/types.ts";
import { EncryptionHaltedError } from "./errors.ts";

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/** Instead of a result: the wait was ended before there was one. */
export const GIVEN_UP = Symbol("given up");

/**
 * Asks a KEK provider again and again while it does not answer: that is no
 * fault of this node's keys, and it may pass.
 */
export class KekPatience {
  readonly #clock: Clock;
  readonly #log: EventLog;
  #isWaiting = false;
  #endPause: (() => void) | null = null;

  constructor(clock: Clock, log: EventLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /** A provider did not answer the last time. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Runs `task` until it does anything else than to fail with
   * KEYS_KEK_UNAVAILABLE, or `isOver` says so between two runs. `fields` tell
   * in the log what waits.
   */
  async run<T>(
    task: () => Promise<T>,
    isOver: () => boolean,
    fields: LogFields,
  ): Promise<T | typeof GIVEN_UP> {
    try {
      for (let delayMs = RETRY_MS_MIN; !isOver();) {
        try {
          const result = await task();
          if (this.#isWaiting) {
            this.#log.write("info", "encryption_kek_back", fields);
          }
          return result;
        } catch (error) {
          if (!isUnavailable(error)) throw error;
          this.#sayWaiting({ ...fields, reason: error.message });
        }
        if (isOver()) break;
        await this.#pause(delayMs);
        delayMs = Math.min(2 * delayMs, RETRY_MS_MAX);
      }
      return GIVEN_UP;
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Lets `isOver` be asked now. */
  wake(): void {
    this.#endPause?.();
  }

  #sayWaiting(fields: LogFields): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#log.write("warn", "encryption_kek_waiting", fields);
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(ms, resolve);
    this.#endPause = resolve;
    await promise;
    this.#endPause = null;
    timer.cancel();
  }
}

/** The halt at `index` that an error is; what waits, and bugs, as they are. */
export function asHalt(error: unknown, index: LogIndex): unknown {
  return error instanceof NodeError && !isUnavailable(error)
    ? new EncryptionHaltedError(index, error)
    : error;
}

function isUnavailable(error: unknown): error is NodeError {
  return error instanceof NodeError && error.code === "KEYS_KEK_UNAVAILABLE";
}
