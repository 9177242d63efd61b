import type { Clock, Timer } from "../io/clock.ts";

/** Least time between two calls of one watcher. */
const NOTIFY_MS_MIN = 50;

/** Who wants to hear that the status may have changed. */
export class StatusWatchers {
  readonly #clock: Clock;
  readonly #watchers = new Set<{ readonly onChange: () => void }>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(onChange: () => void): { cancel(): void } {
    const watcher = { onChange };
    this.#watchers.add(watcher);
    return { cancel: () => this.#watchers.delete(watcher) };
  }

  /** Tells all of them, a moment later and once for all calls until then. */
  notify(): void {
    if (this.#watchers.size === 0 || this.#timer !== null) return;
    this.#timer = this.#clock.after(NOTIFY_MS_MIN, () => {
      this.#timer = null;
      for (const { onChange } of [...this.#watchers]) onChange();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#watchers.clear();
  }
}
