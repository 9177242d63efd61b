import type { Clock } from "../../io/clock.ts";
import { CheckpointInterruptedError } from "./errors.ts";

/** How long to wait at most, and what ends the wait before. */
export interface Patience {
  readonly clock: Clock;
  readonly ms: number;
  /** Aborted with the error that waits are to fail with. */
  readonly signal: AbortSignal;
}

/**
 * Waits for `task`, which goes on by itself when the wait ends before it.
 *
 * @throws {CheckpointInterruptedError} When it takes too long.
 */
export async function within<T>(
  task: Promise<T>,
  { clock, ms, signal }: Patience,
): Promise<T> {
  const over = Promise.withResolvers<never>();
  const onAbort = () => over.reject(signal.reason);
  const timer = clock.after(
    ms,
    () => over.reject(new CheckpointInterruptedError("nothing moves any more")),
  );
  signal.addEventListener("abort", onAbort);
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([over.promise, task]);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Lets `ms` pass; rejects with the signal's reason when that comes first. */
export async function pause(
  { clock, ms, signal }: Patience,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  const timer = clock.after(ms, resolve);
  signal.addEventListener("abort", onAbort);
  try {
    if (signal.aborted) onAbort();
    await promise;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}
