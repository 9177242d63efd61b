import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex, utf8 } from "../../../src/base/bytes.ts";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { ROLLOUT_EVENTS_MAX } from "../../../src/fsm/limits.ts";
import {
  decodeRolloutState,
  encodeRolloutState,
  ROLLOUT_BYTES_MAX,
} from "../../../src/fsm/rollout_codec.ts";
import {
  NO_ROLLOUT,
  type RolloutEvent,
  type RolloutState,
} from "../../../src/fsm/types.ts";

const EVENT: Omit<RolloutEvent, "index"> = {
  atMs: 300,
  actor: "a",
  action: "b",
  planHash: "0123456789abcdef",
  result: "refused",
  entry: 0,
  detail: "NODE_X",
};
const HASH_HEX = toHex(utf8(EVENT.planHash));
const EVENT_HEX = `10ac021a01612201622a10${HASH_HEX}30034206${
  toHex(utf8("NODE_X"))
}`;

const STATE: RolloutState = {
  rewrite: { id: 300, bytesPerSecond: 5, isPaused: true },
  dwellUntilMs: 300,
  events: [{ ...EVENT, index: 1 }, { ...EVENT, index: 300 }],
};
const STATE_HEX = `0a0708ac021005180110ac02` +
  `1a270801${EVENT_HEX}1a2808ac02${EVENT_HEX}`;

Deno.test("encodeRolloutState() has one form, read back", () => {
  const bytes = encodeRolloutState(STATE);
  assert.equal(toHex(bytes), STATE_HEX);
  assert.deepEqual(decodeRolloutState(bytes), STATE);
});

Deno.test("NO_ROLLOUT is no bytes", () => {
  assert.equal(encodeRolloutState(NO_ROLLOUT).length, 0);
  assert.deepEqual(decodeRolloutState(new Uint8Array(0)), NO_ROLLOUT);
});

Deno.test("the longest rollout has exactly ROLLOUT_BYTES_MAX, below a row", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const events = Array.from({ length: ROLLOUT_EVENTS_MAX }, (_, i) => ({
    index: most - ROLLOUT_EVENTS_MAX + i,
    atMs: most,
    actor: "a".repeat(64),
    action: "b".repeat(40),
    planHash: "0".repeat(16),
    result: "unknown" as const,
    entry: most,
    detail: "c".repeat(120),
  }));
  const rewrite = { id: most, bytesPerSecond: most, isPaused: true };
  const state = { rewrite, dwellUntilMs: most, events };
  const bytes = encodeRolloutState(state);
  assert.equal(bytes.length, ROLLOUT_BYTES_MAX);
  assert.ok(ROLLOUT_BYTES_MAX < 60_000);
  assert.deepEqual(decodeRolloutState(bytes), state);
});

const MALFORMED_STATES: readonly (readonly [what: string, hex: string])[] = [
  ["a job of id 0", "0a021005"],
  ["an empty job", "0a00"],
  ["an event without an entry", `1a25${EVENT_HEX}`],
  ["events out of order", `1a270802${EVENT_HEX}1a270801${EVENT_HEX}`],
  ["an event twice", `1a270802${EVENT_HEX}1a270802${EVENT_HEX}`],
  ["a dwell of 2^53", "108080808080808010"],
  ["an unknown field", "2001"],
];

for (const [what, hex] of MALFORMED_STATES) {
  Deno.test(`decodeRolloutState() refuses ${what}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodeRolloutState(bytes), CommandMalformedError);
  });
}

Deno.test("decodeRolloutState() refuses 201 events, and too many bytes", () => {
  const hex = Array.from(
    { length: 201 },
    (_, i) => `1a0608${(0x80 | (i & 0x7f)).toString(16)}0${(i >> 7) + 1}3001`,
  ).join("").replaceAll("1a06", "1a05");
  const bytes = fromHex(hex);
  assert.ok(bytes !== null);
  assert.throws(() => decodeRolloutState(bytes), CommandMalformedError);
  assert.throws(
    () => decodeRolloutState(new Uint8Array(ROLLOUT_BYTES_MAX + 1)),
    CommandMalformedError,
  );
});

Deno.test("encodeRolloutState() asserts what the decoder refuses", () => {
  const events = [...STATE.events].reverse();
  assert.throws(() => encodeRolloutState({ ...STATE, events }), InvariantError);
});
