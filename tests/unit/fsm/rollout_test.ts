import assert from "node:assert/strict";
import fc from "fast-check";
import { applyPayload } from "../../../src/fsm/apply.ts";
import { ROLLOUT_EVENTS_MAX } from "../../../src/fsm/limits.ts";
import { RecordOverlay } from "../../../src/fsm/record_view.ts";
import { decideRollout } from "../../../src/fsm/rollout.ts";
import { brokenStateRule } from "../../../src/fsm/rollout_rules.ts";
import {
  type FsmState,
  NO_ENCRYPTION,
  type RolloutChange,
  type RolloutEvent,
} from "../../../src/fsm/types.ts";
import {
  BOOTSTRAP,
  ENABLE_STORAGE,
  founded,
  stateAfter,
} from "./encryption_fixtures.ts";
import { rolloutChange } from "./rollout_arbitraries.ts";

const PHASE_0 = founded(stateAfter(BOOTSTRAP));
const PHASE_1 = founded(stateAfter(BOOTSTRAP, ENABLE_STORAGE));
const EVENT: Omit<RolloutEvent, "index"> = {
  atMs: 5,
  actor: "token:ops",
  action: "rewrite",
  planHash: "0123456789abcdef",
  result: "done",
  entry: 7,
  detail: "",
};
const START: RolloutChange = { kind: "start-rewrite", bytesPerSecond: 100 };
const PAUSE: RolloutChange = { kind: "pause-rewrite" };

function after(
  state: FsmState,
  ...changes: readonly RolloutChange[]
): FsmState {
  return changes.reduce((before, change, i) => {
    const decision = decideRollout(before, 10 + i, change);
    assert.equal(decision.kind, "taken", JSON.stringify(decision));
    return decision.kind === "taken"
      ? { ...before, rollout: decision.next }
      : before;
  }, state);
}

function refusal(state: FsmState, change: RolloutChange): string {
  const decision = decideRollout(state, 10, change);
  return decision.kind === "refused" ? decision.refusal.code : "taken";
}

Deno.test("a rewrite is named by its entry and runs", () => {
  assert.deepEqual(after(PHASE_1, START).rollout.rewrite, {
    id: 10,
    bytesPerSecond: 100,
    isPaused: false,
  });
  const again = after(PHASE_1, START, PAUSE, START);
  assert.equal(again.rollout.rewrite?.id, 12);
  assert.equal(again.rollout.rewrite?.isPaused, false);
});

Deno.test("a rewrite is paused, and goes on at the rate of before or another", () => {
  const paused = after(PHASE_1, START, PAUSE);
  assert.equal(paused.rollout.rewrite?.isPaused, true);
  const same = after(paused, { kind: "resume-rewrite", bytesPerSecond: null });
  assert.deepEqual(same.rollout.rewrite, {
    id: 10,
    bytesPerSecond: 100,
    isPaused: false,
  });
  const faster = after(paused, { kind: "resume-rewrite", bytesPerSecond: 0 });
  assert.equal(faster.rollout.rewrite?.bytesPerSecond, 0);
});

Deno.test("what is so already leaves the very state", () => {
  const paused = after(PHASE_1, START, PAUSE);
  assert.equal(after(paused, PAUSE).rollout, paused.rollout);
  const running = after(PHASE_1, START);
  const resumed = after(running, {
    kind: "resume-rewrite",
    bytesPerSecond: null,
  });
  assert.equal(resumed.rollout, running.rollout);
  const dwell = after(PHASE_0, { kind: "dwell", untilMs: 9 });
  assert.equal(dwell.rollout.dwellUntilMs, 9);
  const same = after(dwell, { kind: "dwell", untilMs: 9 });
  assert.equal(same.rollout, dwell.rollout);
  assert.equal(
    after(dwell, { kind: "dwell", untilMs: 0 }).rollout.dwellUntilMs,
    0,
  );
});

Deno.test("a rewrite needs sealed records, pause and resume a rewrite", () => {
  assert.equal(refusal(PHASE_0, START), "storage-envelope-off");
  assert.equal(
    refusal(founded(NO_ENCRYPTION), START),
    "storage-envelope-off",
  );
  assert.equal(refusal(PHASE_1, PAUSE), "no-rewrite");
  const resume = { kind: "resume-rewrite", bytesPerSecond: 5 } as const;
  assert.equal(refusal(PHASE_1, resume), "no-rewrite");
});

Deno.test("the newest events are kept, by the index of their entries", () => {
  let state = founded(NO_ENCRYPTION);
  for (let i = 0; i < ROLLOUT_EVENTS_MAX + 3; i += 1) {
    const event = { ...EVENT, detail: String(i) };
    const decision = decideRollout(state, i + 1, { kind: "event", event });
    assert.ok(decision.kind === "taken");
    state = { ...state, rollout: decision.next };
  }
  const { events } = state.rollout;
  assert.equal(events.length, ROLLOUT_EVENTS_MAX);
  assert.deepEqual(events[0], { ...EVENT, detail: "3", index: 4 });
  assert.equal(events.at(-1)?.index, ROLLOUT_EVENTS_MAX + 3);
});

Deno.test("applyPayload() applies what is decided about the rollout", () => {
  const view = new RecordOverlay();
  const apply = (state: FsmState, change: RolloutChange) =>
    applyPayload(state, view, 12, { kind: "rollout", change });
  assert.deepEqual(apply(PHASE_1, START), {
    state: {
      ...PHASE_1,
      rollout: {
        rewrite: { id: 12, bytesPerSecond: 100, isPaused: false },
        dwellUntilMs: 0,
        events: [],
      },
    },
    mutations: [],
    replies: [],
    refusal: null,
  });
  const refused = apply(PHASE_1, PAUSE);
  assert.equal(refused.state, PHASE_1);
  assert.equal(refused.refusal?.code, "no-rewrite");
  assert.equal(apply(PHASE_1, { kind: "dwell", untilMs: 0 }).state, PHASE_1);
});

Deno.test("whatever is applied, a rollout keeps its rules", () => {
  fc.assert(
    fc.property(fc.array(rolloutChange), fc.boolean(), (changes, isOn) => {
      let state = isOn ? PHASE_1 : PHASE_0;
      changes.forEach((change, i) => {
        const decision = decideRollout(state, i + 5, change);
        if (decision.kind === "refused") return;
        state = { ...state, rollout: decision.next };
        assert.equal(brokenStateRule(state.rollout), null);
      });
    }),
  );
});
