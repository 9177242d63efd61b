import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { Inflights } from "../../../src/raft/inflights.ts";
import {
  describeProgressMap,
  Progress,
  type ProgressState,
} from "../../../src/raft/progress.ts";

interface Given {
  readonly match?: number;
  readonly next?: number;
  readonly state?: ProgressState;
  readonly sentCommit?: number;
  readonly pendingSnapshot?: number;
  readonly countMax?: number;
}

Deno.test("onAppendSent() pauses a probe after entries only", () => {
  const idle = make({ state: "probe", match: 3, next: 4 });
  idle.onAppendSent(0, 0);
  assert.equal(idle.isPaused(), false);
  idle.onAppendSent(2, 20);
  assert.equal(idle.isPaused(), true);
  assert.equal(idle.next, 4, "a probe does not move ahead");
  assert.equal(idle.inflights.count, 0);
});

Deno.test("onAppendSent() streams until the window is full", () => {
  const record = make({ state: "replicate", match: 3, next: 4, countMax: 2 });
  record.onAppendSent(2, 20);
  assert.equal(record.next, 6);
  assert.equal(record.isPaused(), false);
  record.onAppendSent(1, 10);
  assert.equal(record.next, 7);
  assert.equal(record.isPaused(), true);
  record.inflights.freeUpTo(4);
  assert.equal(record.inflights.count, 2, "the first append ends at 5");
  record.inflights.freeUpTo(5);
  assert.equal(record.inflights.count, 1);
});

// The empty append is the probe that finds out whether all were lost.
Deno.test("onAppendSent() pauses again after an empty append", () => {
  const record = make({ state: "replicate", match: 3, next: 4, countMax: 1 });
  record.onAppendSent(1, 1);
  record.appendsPaused = false;
  record.onAppendSent(0, 0);
  assert.equal(record.isPaused(), true);
  assert.equal(record.inflights.count, 1);
});

Deno.test("onAppendSent() is refused beside a checkpoint", () => {
  const record = make({ state: "snapshot", pendingSnapshot: 9 });
  assert.throws(() => record.onAppendSent(1, 1), InvariantError);
});

Deno.test("becomeProbe() goes on after what is known", () => {
  const cases: { given: Given; next: number; sentCommit: number }[] = [
    {
      given: { state: "replicate", match: 1, next: 9, sentCommit: 7 },
      next: 2,
      sentCommit: 1,
    },
    {
      given: {
        state: "snapshot",
        match: 1,
        next: 11,
        pendingSnapshot: 10,
        sentCommit: 10,
      },
      next: 11,
      sentCommit: 10,
    },
    {
      given: { state: "snapshot", match: 12, next: 13, pendingSnapshot: 10 },
      next: 13,
      sentCommit: 0,
    },
    {
      given: { state: "snapshot", match: 1, next: 11, pendingSnapshot: 0 },
      next: 2,
      sentCommit: 0,
    },
    // A pending value that leaked into another state must not count.
    {
      given: { state: "replicate", match: 1, next: 11, pendingSnapshot: 10 },
      next: 2,
      sentCommit: 0,
    },
  ];
  for (const { given, next, sentCommit } of cases) {
    const record = make(given);
    record.appendsPaused = true;
    record.becomeProbe();
    assert.equal(record.state, "probe");
    assert.equal(record.next, next, JSON.stringify(given));
    assert.equal(record.sentCommit, sentCommit, JSON.stringify(given));
    assert.equal(record.pendingSnapshot, 0);
    assert.equal(record.appendsPaused, false);
  }
});

Deno.test("becomeReplicate() starts right after the match", () => {
  const record = make({ state: "probe", match: 4, next: 20 });
  record.appendsPaused = true;
  record.becomeReplicate();
  assert.equal(record.state, "replicate");
  assert.equal(record.next, 5);
  assert.equal(record.isPaused(), false);
});

Deno.test("becomeSnapshot() waits for the checkpoint", () => {
  const record = make({ state: "replicate", match: 4, next: 5 });
  record.onAppendSent(1, 1);
  record.becomeSnapshot(30);
  assert.equal(record.state, "snapshot");
  assert.equal(record.pendingSnapshot, 30);
  assert.equal(record.next, 31);
  assert.equal(record.sentCommit, 30);
  assert.equal(record.inflights.count, 0);
  assert.equal(record.isPaused(), true);
});

Deno.test("maybeUpdate() only moves forward", () => {
  const record = make({ match: 3, next: 5 });
  record.appendsPaused = true;
  assert.equal(record.maybeUpdate(3), false);
  assert.equal(record.appendsPaused, true, "old news release nothing");
  assert.equal(record.maybeUpdate(4), true);
  assert.equal(record.appendsPaused, false);
  assert.deepEqual([record.match, record.next], [4, 5]);
  assert.equal(record.maybeUpdate(9), true);
  assert.deepEqual([record.match, record.next], [9, 10]);
});

Deno.test("maybeDecrement() keeps match below next", () => {
  // A late refusal while probing must not fall back below what is durable.
  const record = make({ state: "probe", match: 5, next: 10, sentCommit: 9 });
  record.appendsPaused = true;
  assert.equal(record.maybeDecrement(9, 2), true);
  assert.equal(record.next, 6);
  assert.equal(record.sentCommit, 5);
  assert.equal(record.appendsPaused, false);
});

Deno.test("maybeDecrement() ignores what is stale", () => {
  const cases: { given: Given; rejected: number }[] = [
    { given: { state: "replicate", match: 5, next: 10 }, rejected: 5 },
    { given: { state: "replicate", match: 5, next: 10 }, rejected: 4 },
    { given: { state: "probe", match: 0, next: 10 }, rejected: 8 },
    { given: { state: "probe", match: 0, next: 10 }, rejected: 10 },
    { given: { state: "snapshot", match: 0, next: 10 }, rejected: 5 },
  ];
  for (const { given, rejected } of cases) {
    const record = make({ ...given, sentCommit: 8 });
    record.appendsPaused = true;
    assert.equal(record.maybeDecrement(rejected, 1), false);
    assert.equal(record.next, 10);
    assert.equal(record.sentCommit, 8);
    assert.equal(record.appendsPaused, true);
  }
});

Deno.test("maybeDecrement() restarts a stream after the match", () => {
  const record = make({ state: "replicate", match: 5, next: 10 });
  record.sentCommit = 8;
  assert.equal(record.maybeDecrement(6, 6), true);
  assert.equal(record.next, 6);
  assert.equal(record.sentCommit, 5);
});

Deno.test("canBumpCommit() asks for room below next and for news", () => {
  const cases = [
    { sentCommit: 3, next: 9, index: 4, want: true },
    { sentCommit: 3, next: 9, index: 3, want: false },
    { sentCommit: 3, next: 4, index: 9, want: false },
    { sentCommit: 2, next: 4, index: 9, want: true },
  ];
  for (const { sentCommit, next, index, want } of cases) {
    const record = make({ sentCommit, next });
    assert.equal(record.canBumpCommit(index), want, `${sentCommit} ${next}`);
  }
});

Deno.test("reset() keeps only the role", () => {
  const record = make({ state: "snapshot", match: 5, pendingSnapshot: 9 });
  record.sentCommit = 5;
  record.recentActive = true;
  record.reset(0, 12);
  assert.equal(record.describe(), "StateProbe match=0 next=12 inactive");
  assert.equal(record.sentCommit, 0);
});

Deno.test("withLearner() copies the rest", () => {
  const record = make({ state: "replicate", match: 5, next: 6, sentCommit: 4 });
  record.onAppendSent(1, 10);
  record.recentActive = true;
  const copy = record.withLearner(true);
  assert.equal(
    copy.describe(),
    "StateReplicate match=5 next=7 learner inflight=1",
  );
  assert.equal(copy.sentCommit, 4);
  assert.equal(record.isLearner, false);
});

Deno.test("describeProgressMap() has a line for each", () => {
  const progress = new Map([[1, make({})], [12, make({ match: 2, next: 3 })]]);
  assert.equal(
    describeProgressMap(progress),
    "1: StateProbe match=0 next=1 inactive\n" +
      "12: StateProbe match=2 next=3 inactive\n",
  );
});

function make(given: Given): Progress {
  const record = new Progress({
    match: given.match ?? 0,
    next: given.next ?? 1,
    isLearner: false,
    recentActive: false,
    inflights: new Inflights({ countMax: given.countMax ?? 9, bytesMax: 0 }),
  });
  record.state = given.state ?? "probe";
  record.sentCommit = given.sentCommit ?? 0;
  record.pendingSnapshot = given.pendingSnapshot ?? 0;
  return record;
}
