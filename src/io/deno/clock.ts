import { setImmediate } from "node:timers";
import type { Clock, Timer } from "../clock.ts";

/** Above this `setTimeout` fires at once instead of waiting. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** Time of this machine. */
export function denoClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after,
    soon: (task) => void setImmediate(task),
  };
}

function after(delayMs: number, task: () => void): Timer {
  let left = delayMs;
  const wait = () => {
    const part = Math.min(left, DELAY_MS_MAX);
    left -= part;
    return setTimeout(() => {
      if (left > 0) id = wait();
      else task();
    }, part);
  };
  let id = wait();
  return { cancel: () => clearTimeout(id) };
}
