import assert from "node:assert/strict";
import { NotReadyError } from "../../../../../src/node/errors.ts";
import { TaskFailure } from "../../../../../src/node/encryption/tasks/failure.ts";
import {
  TASK_ABANDONED_MS,
  type TaskControl,
  TaskRunner,
} from "../../../../../src/node/encryption/tasks/runner.ts";
import {
  NO_FINDING,
  type TaskFinding,
} from "../../../../../src/node/encryption/tasks/task.ts";
import { SimClock } from "../../../../sim/io/clock.ts";

const SCAN = { kind: "scan", appliedFrom: 0 } as const;

interface Begun {
  readonly control: TaskControl;
  readonly end: PromiseWithResolvers<TaskFinding>;
}

function world() {
  const clock = new SimClock();
  const begun: Begun[] = [];
  const faults: unknown[] = [];
  const runner = new TaskRunner({
    clock,
    perform: (_, control) => {
      const end = Promise.withResolvers<TaskFinding>();
      begun.push({ control, end });
      return end.promise;
    },
    applied: () => 40,
    rewrite: () => ({
      state: "paused",
      ...{ done: 3, total: 9, bytes: 1, elapsedMs: 5, failure: "" },
      ...NO_FINDING,
    }),
    failed: (error) => void faults.push(error),
  });
  const ask = (task: number) => runner.onAsk({ task, spec: SCAN });
  return { clock, runner, begun, faults, ask };
}

Deno.test("a task is begun once, however often it is asked about", async () => {
  const { ask, begun, clock } = world();
  assert.equal(ask(1).state, "waiting");
  begun[0]!.control.progress({ state: "running", done: 4, total: 8 });
  await clock.run(30);
  const under = ask(1);
  assert.deepEqual([under.state, under.done, under.total], ["running", 4, 8]);
  assert.equal(under.elapsedMs, 30);
  const counts = { cleartext: 2, sealed: new Map() };
  begun[0]!.end.resolve({ ...NO_FINDING, counts });
  await clock.run(1);
  await clock.run(1_000);
  const ended = ask(1);
  assert.deepEqual([ended.state, ended.counts], ["done", counts]);
  assert.equal(ended.elapsedMs, 30);
  assert.equal(begun.length, 1);
});

Deno.test("what stands in the way of a task is its outcome, in words", async () => {
  const { ask, begun, clock, faults } = world();
  ask(1);
  ask(2);
  begun[0]!.end.reject(new NotReadyError("it rests"));
  begun[1]!.end.reject(new TaskFailure("it is behind"));
  await clock.run(1);
  assert.match(ask(1).failure, /it rests \(NODE_NOT_READY\); Send again/);
  assert.deepEqual([ask(2).state, ask(2).failure], ["failed", "it is behind"]);
  assert.deepEqual(faults, []);
});

Deno.test("a fault of this program is told to the node", async () => {
  const { ask, begun, clock, faults } = world();
  ask(1);
  const fault = new TypeError("no such thing");
  begun[0]!.end.reject(fault);
  await clock.run(1);
  assert.deepEqual(faults, [fault]);
});

Deno.test("a task that nobody asks about any more is over", async () => {
  const { ask, begun, clock } = world();
  ask(1);
  const { control, end } = begun[0]!;
  let isAwake = false;
  void control.sleep(10 * TASK_ABANDONED_MS).then(() => isAwake = true);
  await clock.run(TASK_ABANDONED_MS);
  assert.equal(control.isOver(), false);
  await clock.run(1_000);
  assert.equal(control.isOver(), true);
  assert.equal(isAwake, true);
  end.resolve(NO_FINDING);
  await clock.run(1);
  assert.equal(ask(1).failure, "it was given up");
});

Deno.test("a task that is over stays so, whoever asks again", async () => {
  const { ask, begun, clock } = world();
  ask(1);
  await clock.run(TASK_ABANDONED_MS + 1);
  const { control, end } = begun[0]!;
  assert.ok(control.isOver());
  // A question that was long on its way.
  assert.equal(ask(1).state, "waiting");
  assert.ok(control.isOver(), "half of it was left out");
  end.resolve(NO_FINDING);
  await clock.run(1);
  assert.deepEqual(
    [ask(1).state, ask(1).failure],
    ["failed", "it was given up"],
  );
});

Deno.test("a member does four tasks at once and remembers sixteen", async () => {
  const { ask, begun, clock } = world();
  for (let task = 1; task <= 4; task += 1) ask(task);
  assert.equal(ask(5).state, "failed");
  assert.equal(begun.length, 4);
  for (let task = 1; task <= 30; task += 1) {
    ask(task);
    begun.at(-1)!.end.resolve(NO_FINDING);
    for (const { end } of begun) end.resolve(NO_FINDING);
    await clock.run(1);
  }
  assert.equal(ask(30).state, "done");
  assert.equal(ask(29).state, "done");
  const before = begun.length;
  assert.equal(ask(1).state, "waiting", "begun anew");
  assert.equal(begun.length, before + 1);
});

Deno.test("a member that stops ends its tasks and begins none", async () => {
  const { ask, begun, clock, runner } = world();
  ask(1);
  const stopped = runner.stop();
  assert.equal(begun[0]!.control.isOver(), true);
  assert.equal(ask(1).state, "waiting");
  assert.equal(ask(2).state, "waiting");
  begun[0]!.end.resolve(NO_FINDING);
  await clock.until(stopped);
  assert.equal(begun.length, 1);
});

Deno.test("how the rewrite job gets on is told without a task", () => {
  const { runner, begun } = world();
  const spec = { kind: "rewrite", appliedFrom: 40 } as const;
  const report = runner.onAsk({ task: 8, spec });
  assert.deepEqual([report.task, report.state, report.done], [8, "paused", 3]);
  assert.equal(begun.length, 0);
});

Deno.test("a member that has yet to apply the rewrite job waits for it", () => {
  const { runner, begun } = world();
  const spec = { kind: "rewrite", appliedFrom: 41 } as const;
  const report = runner.onAsk({ task: 8, spec });
  assert.deepEqual([report.task, report.state, report.done], [8, "waiting", 0]);
  assert.equal(begun.length, 0);
});
