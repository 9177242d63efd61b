import type { Clock } from "../io/clock.ts";
import type { EventLog, LogFields } from "../io/log.ts";
import { EVENT_WINDOW_MS, EVENTS_PER_WINDOW_MAX } from "./limits.ts";

/**
 * Writes events that anyone who reaches the port can cause.
 *
 * Each event once per `source` and EVENT_WINDOW_MS, and no more than
 * EVENTS_PER_WINDOW_MAX in all; the next event that is written says in
 * `suppressed` how many were not.
 */
export class StrangerLog {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #written = new Set<string>();
  #windowFromMs = -Infinity;
  #suppressed = 0;

  constructor(log: EventLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  write(event: string, source: string, fields: LogFields): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowFromMs >= EVENT_WINDOW_MS) {
      this.#windowFromMs = nowMs;
      this.#written.clear();
    }
    const key = `${event} ${source}`;
    if (
      this.#written.has(key) || this.#written.size >= EVENTS_PER_WINDOW_MAX
    ) {
      this.#suppressed += 1;
      return;
    }
    this.#written.add(key);
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#log.write("warn", event, {
      ...fields,
      ...(suppressed === 0 ? {} : { suppressed }),
    });
  }
}
