import type { Clock } from "../io/clock.ts";

/**
 * Waits for `promise` at most `timeoutMs`; later calls `onLate` for the error.
 *
 * What it waited for goes on: the caller gives it up, it does not stop.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  timeoutMs: number,
  clock: Clock,
  onLate: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(onLate()));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
