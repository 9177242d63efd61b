import type { ProcessPort } from "../io/process.ts";

/**
 * Runs `body` until it ends or a stop signal comes; true when one came.
 *
 * `body` gets a promise of the signal, to end what it waits for.
 */
export async function untilInterrupted(
  process: ProcessPort,
  body: (stopped: Promise<"stopped">) => Promise<void>,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<"stopped">();
  let isStopped = false;
  const signals = process.onStopSignal(() => {
    isStopped = true;
    resolve("stopped");
  });
  try {
    await body(promise);
    return isStopped;
  } finally {
    signals.cancel();
  }
}
