import { deepEqual, equal } from "node:assert/strict";
import { rolloutPlan } from "../../../src/rollout/rollout_plan.ts";
import type { RunEvent } from "../../../src/rollout/run.ts";
import type { StepId } from "../../../src/rollout/step.ts";
import { fakeCluster, stillClock } from "./fake_client.ts";
import { type Rung, snapshotAt } from "./snapshots.ts";

async function planOf(start: Rung) {
  let now = snapshotAt(start);
  const cluster = fakeCluster(() => now);
  const plan = await rolloutPlan(cluster.client, { clock: stillClock() });
  return {
    ...cluster,
    plan,
    step: (id: StepId) => plan.steps.find((step) => step.id === id)!,
    move: (rung: Rung) => void (now = snapshotAt(rung)),
  };
}

async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const list: RunEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

Deno.test("rolloutPlan() has the ladder, and looks at a step again", async () => {
  const { plan, step, move } = await planOf("plain");
  equal(plan.next, "capability");
  const before = step("capability").checks;
  equal(before.find(({ id }) => id === "K03")?.verdict, "fail");
  move("capable");
  const after = await step("capability").check();
  equal(after.find(({ id }) => id === "K03")?.verdict, "pass");
  const rehearsed = await step("storage").check();
  equal(rehearsed.find(({ id }) => id === "P01")?.verdict, "pass");
});

Deno.test("run() of a blocked step ends with why, and asks nobody", async () => {
  const { step, calls } = await planOf("plain");
  calls.length = 0;
  const events = await all(step("storage").run({ confirm: "prod" }));
  equal(events.length, 1);
  const [event] = events;
  equal(event?.kind, "failed");
  equal(
    event?.kind === "failed" ? event.error.code : "",
    "ROLLOUT_STEP_BLOCKED",
  );
  deepEqual(calls.filter((call) => call === "storage"), ["storage"]);
});

Deno.test("run() of a step that is done by now does nothing", async () => {
  const { step, move } = await planOf("capable");
  move("stored");
  deepEqual(await all(step("storage").run({ confirm: "prod" })), []);
});
