import fc from "fast-check";
import {
  ROLLOUT_RESULTS,
  type RolloutChange,
  type RolloutEvent,
} from "../../../src/fsm/types.ts";

type Arbitraries<T> = { [K in keyof T]: fc.Arbitrary<T[K]> };

function record<T>(fields: Arbitraries<T>): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());

function text(maxLength: number): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom("", "~".repeat(maxLength)),
    fc.string({ unit: "grapheme-ascii", maxLength }),
  );
}

const event: fc.Arbitrary<Omit<RolloutEvent, "index">> = record({
  atMs: number,
  actor: text(64),
  action: text(40),
  planHash: fc.constantFrom("", "0123456789abcdef"),
  result: fc.constantFrom(...ROLLOUT_RESULTS),
  entry: number,
  detail: text(120),
});

/** Few rates and times, so that some change nothing. */
const few = fc.constantFrom(0, 1, 127, 128, Number.MAX_SAFE_INTEGER);

/** What an entry of tag 0x07 can ask for. */
export const rolloutChange: fc.Arbitrary<RolloutChange> = fc.oneof(
  record({ kind: fc.constant("event" as const), event }),
  record({ kind: fc.constant("start-rewrite" as const), bytesPerSecond: few }),
  record({ kind: fc.constant("pause-rewrite" as const) }),
  record({
    kind: fc.constant("resume-rewrite" as const),
    bytesPerSecond: fc.oneof(fc.constant(null), few),
  }),
  record({ kind: fc.constant("dwell" as const), untilMs: few }),
);
