import assert from "node:assert/strict";
import { NotLeaderError } from "../../../../../src/node/member_errors.ts";
import {
  MemberTasks,
  TASK_SILENT_MS,
} from "../../../../../src/node/encryption/tasks/member_tasks.ts";
import {
  type MemberReport,
  NO_FINDING,
  type TaskAsk,
  type TaskProgress,
  type TaskReport,
} from "../../../../../src/node/encryption/tasks/task.ts";
import { SimClock } from "../../../../sim/io/clock.ts";
import { SimRandom } from "../../../../sim/io/random.ts";

const SCAN = { kind: "scan", appliedFrom: 5 } as const;
const MEMBERS = [
  { id: 1, name: "n1" },
  { id: 2, name: "n2" },
  { id: 3, name: "n3" },
];
const IDLE: TaskProgress = {
  state: "waiting",
  ...{ done: 0, total: 0, bytes: 0, elapsedMs: 0, failure: "" },
  ...NO_FINDING,
};

/** Members whose answers are what the test says, 5 ms away. */
function world() {
  const clock = new SimClock();
  const states = new Map<number, Partial<TaskProgress> | null>();
  const asks: TaskAsk[] = [];
  let leads = true;
  const answer = (id: number, { task }: TaskAsk): TaskReport => ({
    task,
    ...IDLE,
    ...states.get(id),
  });
  const tasks = new MemberTasks({
    self: 1,
    clock,
    random: new SimRandom(1),
    answer: (ask) => answer(1, ask),
    send: (to, ask) => {
      asks.push(ask);
      if (states.get(to) === null) return false;
      clock.after(5, () => tasks.onReport(to, answer(to, ask)));
      return true;
    },
  });
  const mustLead = () => {
    if (!leads) throw new NotLeaderError("n2", "");
  };
  const news: (readonly MemberReport[])[] = [];
  const told = (reports: readonly MemberReport[]) => void news.push(reports);
  const run = () =>
    tasks.run(SCAN, MEMBERS, { action: "seal", mustLead, told });
  return {
    clock,
    states,
    tasks,
    asks,
    news,
    mustLead,
    run,
    stepDown: () => leads = false,
  };
}

Deno.test("a task runs until every member has ended it", async () => {
  const { clock, states, run } = world();
  states.set(1, { state: "done" });
  states.set(2, { state: "done" });
  states.set(3, { state: "running", done: 1 });
  const ended = run();
  await clock.run(60_000);
  const counts = { cleartext: 0, sealed: new Map([[7, 3]]) };
  states.set(3, { state: "done", counts });
  const reports = await clock.until(ended);
  assert.deepEqual(reports.map(({ member, state }) => [member, state]), [
    ["n1", "done"],
    ["n2", "done"],
    ["n3", "done"],
  ]);
  assert.deepEqual(reports[2]!.counts, counts);
});

Deno.test("who looks on hears how a task gets on", async () => {
  const { clock, states, run, news } = world();
  for (const id of [1, 2, 3]) states.set(id, { state: "done" });
  states.set(3, { state: "running", done: 4 });
  const ended = run();
  await clock.run(2_000);
  assert.deepEqual(
    news.at(-1)?.map(({ member, state, done }) => [member, state, done]),
    [["n1", "done", 0], ["n2", "done", 0], ["n3", "running", 4]],
  );
  states.set(3, { state: "done", done: 9 });
  assert.deepEqual(await clock.until(ended), news.at(-1));
});

Deno.test("all questions of one task carry its number", async () => {
  const { clock, states, asks, run } = world();
  for (const id of [1, 2, 3]) states.set(id, { state: "running" });
  const ended = run();
  await clock.run(5_000);
  assert.ok(asks.length > 10);
  assert.equal(new Set(asks.map(({ task }) => task)).size, 1);
  for (const id of [1, 2, 3]) states.set(id, { state: "done" });
  await clock.until(ended);
});

Deno.test("members that do not answer are named", async () => {
  const { clock, states, run } = world();
  states.set(1, { state: "done" });
  states.set(2, null);
  states.set(3, null);
  const sinceMs = clock.monotonicMs();
  await assert.rejects(clock.until(run()), {
    code: "NODE_MEMBER_SILENT",
    message: 'Cannot seal as every member must answer: "n2", "n3" did not',
  });
  assert.ok(clock.monotonicMs() - sinceMs >= TASK_SILENT_MS);
});

Deno.test("a member that answers in between is not silent", async () => {
  const { clock, states, run } = world();
  states.set(1, { state: "done" });
  states.set(2, { state: "done" });
  const ended = run();
  for (let turn = 0; turn < 5; turn += 1) {
    states.set(3, null);
    await clock.run(TASK_SILENT_MS - 2_000);
    states.set(3, { state: "running" });
    await clock.run(2_000);
  }
  states.set(3, { state: "done" });
  await clock.until(ended);
});

Deno.test("members that fail are told with their words", async () => {
  const { clock, states, run } = world();
  states.set(1, { state: "done" });
  states.set(2, { state: "failed", failure: "its disk is full" });
  states.set(3, null);
  await assert.rejects(clock.until(run()), {
    code: "NODE_MEMBER_TASK_FAILED",
    message:
      'Cannot seal as every member must do its part: "n2" could not: its disk is full',
  });
});

Deno.test("who leads no more asks no more", async () => {
  const { clock, states, run, asks, stepDown } = world();
  for (const id of [1, 2, 3]) states.set(id, { state: "running" });
  const ended = run();
  ended.catch(() => {});
  await clock.run(1_000);
  stepDown();
  await assert.rejects(clock.until(ended), { code: "NODE_NOT_LEADER" });
  const { length } = asks;
  await clock.run(5_000);
  assert.equal(asks.length, length);
});

Deno.test("progress is told as it comes", async () => {
  const { clock, states, tasks, mustLead } = world();
  states.set(1, { state: "done" });
  states.set(2, { state: "running", done: 1, total: 2 });
  states.set(3, { state: "done" });
  const seen: (readonly MemberReport[])[] = [];
  const followed = (async () => {
    for await (const news of tasks.follow(SCAN, MEMBERS, mustLead)) {
      seen.push(news);
    }
  })();
  await clock.run(2_000);
  states.set(2, { state: "done", done: 2, total: 2 });
  await clock.until(followed);
  const states2 = seen.map((news) => news[1]!.state);
  assert.ok(states2.includes("running"));
  assert.equal(states2.at(-1), "done");
});

Deno.test("a question that is asked once takes a second at most", async () => {
  const { clock, states, tasks, mustLead } = world();
  states.set(1, { state: "paused" });
  states.set(2, { state: "running", done: 4 });
  states.set(3, null);
  const sinceMs = clock.monotonicMs();
  const reports = await clock.until(
    tasks.poll({ kind: "rewrite", appliedFrom: 5 }, MEMBERS, mustLead),
  );
  assert.deepEqual(reports.map(({ state, done }) => [state, done]), [
    ["paused", 0],
    ["running", 4],
    ["silent", 0],
  ]);
  assert.ok(clock.monotonicMs() - sinceMs <= 1_000);
});
