import type { ProcessPort } from "../io/process.ts";

/** Promises of stop signals: of the first, and of the next one after it. */
export interface StopSignals {
  readonly first: Promise<"stopped">;
  readonly second: Promise<"stopped">;
}

/**
 * Runs `body` until it ends; true when a stop signal came meanwhile.
 *
 * While `body` runs, signals end nothing by themselves: it gets promises of
 * them, to end what it waits for.
 */
export async function untilInterrupted(
  process: ProcessPort,
  body: (signals: StopSignals) => Promise<void>,
): Promise<boolean> {
  const first = Promise.withResolvers<"stopped">();
  const second = Promise.withResolvers<"stopped">();
  let count = 0;
  const listener = process.onStopSignal(() => {
    count += 1;
    (count === 1 ? first : second).resolve("stopped");
  });
  try {
    await body({ first: first.promise, second: second.promise });
    return count > 0;
  } finally {
    listener.cancel();
  }
}
