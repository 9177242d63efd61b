import type { Clock } from "./clock.ts";

/** Waits for `ms`, or until `signal` is aborted. */
export async function pause(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(ms, resolve);
  const wake = () => resolve();
  signal.addEventListener("abort", wake);
  await promise;
  signal.removeEventListener("abort", wake);
  timer.cancel();
}
