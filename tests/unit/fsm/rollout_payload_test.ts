import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../../src/fsm/errors.ts";
import { decodePayload } from "../../../src/fsm/payload.ts";
import {
  decodeRollout,
  encodeRollout,
} from "../../../src/fsm/rollout_payload.ts";
import {
  ROLLOUT_RESULTS,
  type RolloutChange,
  type RolloutEvent,
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

const LAYOUTS: readonly (readonly [change: RolloutChange, hex: string])[] = [
  [{ kind: "event", event: EVENT }, `0701${EVENT_HEX}`],
  [{ kind: "start-rewrite", bytesPerSecond: 0 }, "0702"],
  [{ kind: "start-rewrite", bytesPerSecond: 300 }, "070208ac02"],
  [{ kind: "pause-rewrite" }, "0703"],
  [{ kind: "resume-rewrite", bytesPerSecond: null }, "0704"],
  [{ kind: "resume-rewrite", bytesPerSecond: 0 }, "07040800"],
  [{ kind: "dwell", untilMs: 300 }, "070508ac02"],
];

for (const [change, hex] of LAYOUTS) {
  Deno.test(`encodeRollout() has a form for ${JSON.stringify(change)}`, () => {
    const bytes = encodeRollout(change);
    assert.equal(toHex(bytes), hex);
    assert.deepEqual(decodeRollout(bytes), change);
    assert.deepEqual(decodePayload(bytes), { kind: "rollout", change });
  });
}

Deno.test("encodeRollout() has a form for every result", () => {
  for (const result of ROLLOUT_RESULTS) {
    const change = { kind: "event", event: { ...EVENT, result } } as const;
    assert.deepEqual(decodeRollout(encodeRollout(change)), change);
  }
});

const MALFORMED: readonly (readonly [what: string, hex: string])[] = [
  ["no sub-tag", "07"],
  ["an event without a result", "070110ac02"],
  ["an event of an unknown result", "070110ac023005"],
  ["an event that names its entry", `07010801${EVENT_HEX}`],
  ["a time of 2^53", "07011080808080808080103001"],
  ["a hash of 2 digits", "07012a0230313001"],
  ["an upper-case hash", `07012a10${toHex(utf8("0123456789ABCDEF"))}3001`],
  ["a line end", "07011a010a3001"],
  ["a letter that is not ASCII", "07011a02c3bc3001"],
  ["an actor of 65 bytes", `07011a41${"61".repeat(65)}3001`],
  ["an unknown field", "07013001482a"],
  ["fields out of order", "07013001100a"],
  ["a default written out", "07020800"],
  ["a body behind a pause", "070300"],
  ["a rate of 2^53", "0702088080808080808010"],
  ["a long event", `0701${"00".repeat(400)}`],
];

for (const [what, hex] of MALFORMED) {
  Deno.test(`decodeRollout() refuses ${what}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodePayload(bytes), CommandMalformedError);
  });
}

Deno.test("decodeRollout() tells a sub-tag of a later version", () => {
  assert.throws(
    () => decodePayload(Uint8Array.of(7, 9)),
    (error) =>
      error instanceof CommandUnknownError && error.tag === 7 &&
      error.subTag === 9,
  );
});

Deno.test("encodeRollout() asserts what the decoder refuses", () => {
  const event = { ...EVENT, actor: "a\n" };
  assert.throws(() => encodeRollout({ kind: "event", event }), InvariantError);
  assert.throws(
    () => encodeRollout({ kind: "start-rewrite", bytesPerSecond: -1 }),
    InvariantError,
  );
  assert.throws(
    () => encodeRollout({ kind: "resume-rewrite", bytesPerSecond: 0.5 }),
    InvariantError,
  );
  assert.throws(
    () => encodeRollout({ kind: "dwell", untilMs: 2 ** 53 }),
    InvariantError,
  );
});
