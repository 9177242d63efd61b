import { deepEqual } from "node:assert/strict";
import type { EncryptionOutcome } from "../../../../src/admin/client.ts";
import { StepLines } from "../../../../src/cli/demo/step_lines.ts";
import type { ApplyEvent } from "../../../../src/rollout/apply.ts";
import { STEP_FACTS } from "../../../../src/rollout/steps.ts";
import type { RolloutPlan, RolloutStep } from "../../../../src/rollout/step.ts";

const [capability, storage] = [STEP_FACTS.capability, STEP_FACTS.storage].map((
  facts,
): RolloutStep => ({
  ...facts,
  state: facts.id === "capability" ? "done" : "ready",
  detail: "3 of 3 members",
  checks: [],
  commands: [],
  progress: null,
}));
const STEPS = [capability!, storage!];
const PLAN: RolloutPlan = {
  cluster: "demo",
  leader: "n1",
  term: 1n,
  phase: 0,
  atMs: 0,
  steps: STEPS,
  next: "storage",
};

function answered(change: Partial<EncryptionOutcome>): ApplyEvent {
  const outcome = {
    plan: { hash: "", steps: [] },
    changed: true,
    index: 0n,
    unreachable: [],
    ...change,
  };
  const of = { command: "sealkv x", asked: null, atMs: 2_500 };
  const event = { ...of, kind: "answered", outcome, isOthers: false } as const;
  return { kind: "run", step: "storage", event };
}

const ASKED: ApplyEvent = {
  kind: "run",
  step: "storage",
  event: {
    ...{ command: "sealkv x", asked: null, atMs: 1_000 },
    ...{ kind: "asked", afterIndex: 0n },
  },
};

Deno.test("a step says its command, its index and how long it took", () => {
  const lines = new StepLines();
  const plan: ApplyEvent = { kind: "plan", plan: PLAN };
  const events: readonly ApplyEvent[] = [
    plan,
    { kind: "step", step: STEPS[1]!, atMs: 900 },
    ASKED,
    answered({ index: 48n }),
    plan,
    { kind: "ended", end: { kind: "done" }, atMs: 3_000 },
  ];
  deepEqual(events.flatMap((event) => lines.of(event)), [
    `  ${capability!.title}: 3 of 3 members`,
    `  ${storage!.title}`,
    "    $ sealkv x",
    "      done at index 48, 1.5 s",
  ]);
});

Deno.test("what changed nothing says whether it was done before", () => {
  const lines = new StepLines();
  lines.of(ASKED);
  deepEqual(lines.of(answered({ changed: false, index: 7n })), [
    "      was done before at index 7, 1.5 s",
  ]);
  deepEqual(lines.of(answered({ changed: false })), ["      done, 1.5 s"]);
});
