import assert from "node:assert/strict";
import { decodePayload } from "../../../../src/fsm/payload.ts";
import type { RolloutEvent } from "../../../../src/fsm/types.ts";
import { ChangeUnderWayError } from "../../../../src/node/encryption/change_errors.ts";
import { detailOf, History } from "../../../../src/node/encryption/history.ts";
import type {
  EncryptionRequest,
  EncryptionResult,
} from "../../../../src/node/encryption_port.ts";
import { OutcomeUnknownError } from "../../../../src/node/errors.ts";
import { SimClock } from "../../../sim/io/clock.ts";

const STEP = {
  actor: "token:ops",
  action: "rewrite",
  detail: "9 bytes/s",
  planHash: "0123456789abcdef",
};
const RESULT: EncryptionResult = {
  plan: { hash: STEP.planHash, steps: [] },
  isChanged: true,
  index: 7,
  unreachable: [],
};

function historyOf() {
  const events: Omit<RolloutEvent, "index">[] = [];
  const history = new History({
    clock: new SimClock(),
    propose: (payload) => {
      const decoded = decodePayload(payload);
      assert.ok(decoded.kind === "rollout" && decoded.change.kind === "event");
      events.push(decoded.change.event);
      return null;
    },
  });
  return { history, events };
}

Deno.test("recorded() tells what was done, and by which entry", async () => {
  const { history, events } = historyOf();
  const result = await history.recorded(STEP, () => Promise.resolve(RESULT));
  assert.equal(result, RESULT);
  assert.deepEqual(events, [{
    ...STEP,
    atMs: new SimClock().wallMs(),
    result: "done",
    entry: 7,
  }]);
});

Deno.test("recorded() tells what was so already", async () => {
  const { history, events } = historyOf();
  const unchanged = { ...RESULT, isChanged: false, index: 3 };
  await history.recorded(STEP, () => Promise.resolve(unchanged));
  assert.deepEqual([events[0]?.result, events[0]?.entry], ["unchanged", 3]);
});

for (
  const [result, error] of [
    ["refused", new ChangeUnderWayError("another")],
    ["unknown", new OutcomeUnknownError()],
  ] as const
) {
  Deno.test(`recorded() tells of ${error.code} and passes it on`, async () => {
    const { history, events } = historyOf();
    const run = history.recorded(STEP, () => Promise.reject(error));
    await assert.rejects(run, error);
    assert.deepEqual(
      [events[0]?.result, events[0]?.entry, events[0]?.detail],
      [result, 0, error.code],
    );
  });
}

Deno.test("recorded() tells nothing of a fault of this program", async () => {
  const { history, events } = historyOf();
  const fault = new TypeError("x");
  const run = history.recorded(STEP, () => Promise.reject(fault));
  await assert.rejects(run, fault);
  assert.deepEqual(events, []);
});

Deno.test("recorded() keeps texts short and printable", async () => {
  const { history, events } = historyOf();
  const step = {
    ...STEP,
    actor: `größe\u001b[31m${"a".repeat(90)}`,
    action: "x".repeat(90),
    detail: "y\n".repeat(90),
  };
  await history.recorded(step, () => Promise.resolve(RESULT));
  const [event] = events;
  assert.equal(event?.actor, `gr??e?[31m${"a".repeat(90)}`.slice(0, 64));
  assert.equal(event?.action, "x".repeat(40));
  assert.equal(event?.detail, "y?".repeat(60));
});

const DETAILS: readonly (readonly [EncryptionRequest, string])[] = [
  [{ kind: "bootstrap" }, ""],
  [{ kind: "rotate-dek", purpose: "raft" }, "raft"],
  [{ kind: "rewrap-deks", keks: ["a", "b"] }, "a,b"],
  [{ kind: "retire-dek", keyId: 9 }, "key 9"],
  [{ kind: "start-rewrite", bytesPerSecond: 8 }, "8 bytes/s"],
  [{ kind: "start-rewrite", bytesPerSecond: 0 }, "at any rate"],
  [{ kind: "resume-rewrite", bytesPerSecond: null }, ""],
  [{ kind: "scrub", members: ["n1", "n2"] }, "n1,n2"],
  [{ kind: "update-rollout", dwellUntilMs: 0 }, "dwell ends"],
  [
    { kind: "update-rollout", dwellUntilMs: 5 },
    "dwell until 1970-01-01T00:00:00.005Z",
  ],
];

for (const [request, detail] of DETAILS) {
  Deno.test(`detailOf() of ${JSON.stringify(request)}`, () => {
    assert.equal(detailOf(request), detail);
  });
}
