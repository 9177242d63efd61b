import type { RolloutState } from "../../../src/fsm/types.ts";

/** Rollouts of no event, one, and a few, of entry 9 at the latest. */
export const ROLLOUTS: readonly RolloutState[] = [0, 1, 4].map((count) => ({
  rewrite: count === 0 ? null : { id: 5, bytesPerSecond: 9, isPaused: true },
  dwellUntilMs: count,
  events: Array.from({ length: count }, (_, i) => ({
    ...{ index: 5 + i, atMs: i, entry: i, actor: "a", action: "rewrite" },
    planHash: "0123456789abcdef",
    result: "done" as const,
    detail: "x".repeat(i),
  })),
}));
