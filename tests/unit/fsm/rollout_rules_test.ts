import assert from "node:assert/strict";
import { ROLLOUT_EVENTS_MAX } from "../../../src/fsm/limits.ts";
import {
  brokenRolloutRule,
  brokenStateRule,
} from "../../../src/fsm/rollout_rules.ts";
import { NO_ROLLOUT, type RolloutEvent } from "../../../src/fsm/types.ts";

const EVENT: RolloutEvent = {
  index: 9,
  atMs: 1,
  actor: "~".repeat(64),
  action: " ".repeat(40),
  planHash: "",
  result: "done",
  entry: 0,
  detail: "a".repeat(120),
};

const BROKEN:
  readonly (readonly [what: string, broken: Partial<RolloutEvent>])[] = [
    ["a negative time", { atMs: -1 }],
    ["an entry of 2^53", { entry: 2 ** 53 }],
    ["a short hash", { planHash: "0123" }],
    ["an upper-case hash", { planHash: "0123456789ABCDEF" }],
    ["a long actor", { actor: "a".repeat(65) }],
    ["a long action", { action: "a".repeat(41) }],
    ["a long detail", { detail: "a".repeat(121) }],
    ["a control character", { detail: "a\u001b[31m" }],
    ["a character of two bytes", { actor: "ü" }],
  ];

for (const [what, broken] of BROKEN) {
  Deno.test(`an event must not have ${what}`, () => {
    const event = { ...EVENT, ...broken };
    assert.notEqual(brokenRolloutRule({ kind: "event", event }), null);
    const state = { ...NO_ROLLOUT, events: [event] };
    assert.notEqual(brokenStateRule(state), null);
  });
}

Deno.test("an event may have the longest texts", () => {
  assert.equal(brokenRolloutRule({ kind: "event", event: EVENT }), null);
  assert.equal(brokenStateRule({ ...NO_ROLLOUT, events: [EVENT] }), null);
});

Deno.test("a rollout has events in the order of entries, not too many", () => {
  const events = Array.from(
    { length: ROLLOUT_EVENTS_MAX + 1 },
    (_, i) => ({ ...EVENT, index: i + 1 }),
  );
  assert.notEqual(brokenStateRule({ ...NO_ROLLOUT, events }), null);
  const fit = events.slice(1);
  assert.equal(brokenStateRule({ ...NO_ROLLOUT, events: fit }), null);
  const turned = [...fit].reverse();
  assert.notEqual(brokenStateRule({ ...NO_ROLLOUT, events: turned }), null);
});

Deno.test("a job has an entry and a rate", () => {
  const ruleOf = (id: number, bytesPerSecond: number) => {
    const rewrite = { id, bytesPerSecond, isPaused: false };
    return brokenStateRule({ ...NO_ROLLOUT, rewrite });
  };
  assert.equal(ruleOf(1, 0), null);
  assert.notEqual(ruleOf(0, 0), null);
  assert.notEqual(ruleOf(1, 0.5), null);
  const { rewrite, events } = NO_ROLLOUT;
  assert.notEqual(brokenStateRule({ rewrite, events, dwellUntilMs: -1 }), null);
});
