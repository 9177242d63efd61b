import type { Clock } from "../../../src/io/clock.ts";
import { NOW_MS } from "./snapshots.ts";

/** Time that passes at once: a timer fires as soon as all else is idle. */
export function eagerClock(): Clock {
  let nowMs = 0;
  return {
    wallMs: () => NOW_MS + nowMs,
    monotonicMs: () => nowMs,
    soon: (task) => queueMicrotask(task),
    after(delayMs, task) {
      const dueMs = nowMs + delayMs;
      const id = setTimeout(() => {
        nowMs = Math.max(nowMs, dueMs);
        task();
      });
      return { cancel: () => clearTimeout(id) };
    },
  };
}
