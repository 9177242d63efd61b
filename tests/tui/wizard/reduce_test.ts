import { deepEqual, equal, match, ok } from "node:assert/strict";
import { AdminOutcomeUnknownError } from "../../../src/admin/errors.ts";
import type { RunEvent } from "../../../src/rollout/run.ts";
import { activeRun, isBusy, selectedStep } from "../../../tui/wizard/state.ts";
import { eventOf, snapshotAt } from "../../unit/rollout/snapshots.ts";
import { ACTOR, rehearsed, type Trial, wizardAt } from "./wizard_at.ts";

const COMMAND = "sealkv encryption enable-storage-envelope --confirm prod";
const OF = {
  command: COMMAND,
  asked: { kind: "enable-storage-envelope" },
} as const;
const OUTCOME = {
  plan: { hash: "", steps: [] },
  changed: true,
  index: 101n,
  unreachable: [],
};
const ASKED: RunEvent = { ...OF, kind: "asked", atMs: 1_000, afterIndex: 7n };
const ANSWERED: RunEvent = {
  ...OF,
  kind: "answered",
  atMs: 3_000,
  outcome: OUTCOME,
  isOthers: false,
};

function started(): Trial {
  return wizardAt("capable")
    .looks(rehearsed(snapshotAt("capable"), "storage"))
    .presses("Enter", "Enter", "prod", "Enter");
}

function run(trial: Trial, ...events: readonly RunEvent[]): Trial {
  for (const event of events) trial.on({ kind: "run", event });
  return trial;
}

Deno.test("what a step does is in its run and in the log", () => {
  const trial = run(started(), ASKED, ANSWERED);
  trial.on({ kind: "run-over", atMs: 3_500 });
  const [last] = trial.state.runs;
  deepEqual(
    [last?.command, last?.startedMs, last?.endedMs, last?.outcomes],
    [COMMAND, 1_000, 3_500, [OUTCOME]],
  );
  deepEqual(trial.state.log, [
    { atMs: 1_000, kind: "command", text: `$ ${COMMAND}` },
    { atMs: 3_000, kind: "result", text: "done at index 101" },
  ]);
});

Deno.test("the end of a step is told, and the next one is selected", () => {
  const trial = run(started(), ASKED, ANSWERED);
  equal(selectedStep(trial.state)?.id, "storage");
  trial.on({ kind: "run-over", atMs: 3_500 }).looks(snapshotAt("stored"));
  equal(trial.state.announced, "storage");
  equal(selectedStep(trial.state)?.id, "rewrite");
  equal(trial.presses("Up").state.announced, null);
});

Deno.test("a step that is over is not offered again before a look tells of it", () => {
  const trial = run(started(), ASKED, ANSWERED);
  trial.on({ kind: "run-over", atMs: 3_500 });
  const old = {
    kind: "looked",
    snapshot: snapshotAt("capable"),
    ...{ estimate: null, demo: null, beganAmid: true, nowMs: 1_000 },
  } as const;
  trial.on(old).presses("Enter");
  equal(trial.view(), "overview");
  trial.looks(snapshotAt("stored")).presses("Enter");
  equal(trial.view(), "plan");
  equal(selectedStep(trial.state)?.id, "rewrite");
});

Deno.test("who looks elsewhere by then stays there", () => {
  const trial = run(started(), ASKED).presses("Up");
  run(trial, ANSWERED).on({ kind: "run-over", atMs: 3_500 });
  equal(selectedStep(trial.state)?.id, "capability");
});

Deno.test("a step that fails stays selected with its error", () => {
  const error = new AdminOutcomeUnknownError("http://n2:4514");
  const failed: RunEvent = { ...OF, kind: "failed", atMs: 4_000, error };
  const trial = run(started(), ASKED, failed)
    .on({ kind: "run-over", atMs: 4_000 });
  equal(selectedStep(trial.state)?.id, "storage");
  equal(trial.state.runs[0]?.error, error);
  equal(activeRun(trial.state), null);
  match(trial.state.log.at(-1)?.text ?? "", /^ADMIN_OUTCOME_UNKNOWN: /);
});

Deno.test("a step that somebody else took is no error", () => {
  const others: RunEvent = { ...ANSWERED, isOthers: true };
  const trial = run(started(), ASKED, others)
    .on({ kind: "run-over", atMs: 3_500 });
  equal(trial.state.runs[0]?.error, null);
  match(trial.state.log.at(-1)?.text ?? "", /somebody else did it/);
});

Deno.test("only one step runs at a time", () => {
  const trial = run(started(), ASKED);
  trial.presses("Enter", "Enter", "prod", "Enter");
  equal(trial.effects.length, 1);
});

Deno.test("what others did since the last look is in the log", () => {
  const before = { ...snapshotAt("capable"), events: [eventOf({ index: 5n })] };
  const event = eventOf({
    index: 6n,
    action: "enable-storage-envelope",
    entry: 101n,
  });
  const after = { ...before, events: [...before.events, event] };
  const trial = wizardAt("plain").looks(before).looks(after).looks(after);
  const texts = trial.state.log.map(({ text }) => text);
  deepEqual(texts, [
    "ana@laptop: scrub done",
    "ana@laptop: enable-storage-envelope done at index 101",
  ]);
});

Deno.test("what was done from here is not told twice", () => {
  const event = eventOf({
    index: 6n,
    actor: ACTOR,
    action: "enable-storage-envelope",
    entry: 101n,
  });
  const after = { ...snapshotAt("stored"), events: [event] };
  const trial = run(started(), ASKED, ANSWERED)
    .on({ kind: "run-over", atMs: 3_500 }).looks(after);
  deepEqual(trial.state.log.filter(({ kind }) => kind === "event"), []);
});

Deno.test("another plan takes who types the name back to it", () => {
  const trial = wizardAt("capable")
    .looks(rehearsed(snapshotAt("capable"), "storage"))
    .presses("Enter", "Enter", "pro");
  trial.looks(rehearsed(snapshotAt("capable"), "storage", "ffff0000ffff0000"));
  const { view } = trial.state;
  ok(view.kind === "overtaken");
  match(view.text, /The cluster changed, and the plan with it/);
  equal(trial.presses("d", "Enter", "Escape").view(), "plan");
  deepEqual(trial.effects, []);
});

Deno.test("a step that somebody else takes meanwhile is no longer planned", () => {
  const trial = wizardAt("capable")
    .looks(rehearsed(snapshotAt("capable"), "storage"))
    .presses("Enter", "Enter", "pro").looks(snapshotAt("stored"));
  const { view } = trial.state;
  ok(view.kind === "overtaken");
  match(view.text, /^Somebody else took "Storage cutover": /);
  equal(trial.presses("Escape").view(), "overview");
  equal(selectedStep(trial.state)?.id, "rewrite");
});

Deno.test("keys meant for a plan that others overtook do nothing", () => {
  // On the overview of a rewrite that runs, "p" and "-" would give commands.
  const trial = wizardAt("stored")
    .looks(rehearsed(snapshotAt("stored"), "rewrite")).presses("Enter")
    .looks(snapshotAt("rewriting"));
  equal(trial.view(), "overtaken");
  const keys = ["Enter", "d", "r", "p", "-", "l", "q", "?", "Tab", "Enter"];
  equal(trial.presses(...keys).view(), "overtaken");
  deepEqual(trial.effects, []);
  equal(trial.presses("Escape").view(), "overview");
  equal(selectedStep(trial.state)?.id, "rewrite");
});

Deno.test("a step that was done from here keeps nobody from leaving", () => {
  const trial = wizardAt("stored")
    .looks(rehearsed(snapshotAt("stored"), "rewrite"))
    .presses("Enter", "Enter").looks(snapshotAt("rewriting"));
  equal(trial.effects.length, 1);
  equal(isBusy(trial.state), true);
  equal(isBusy(trial.on({ kind: "run-over", atMs: 3_500 }).state), false);
  // What others run is another matter.
  equal(isBusy(trial.looks(snapshotAt("rewriting")).state), true);
});

Deno.test("what is said of a command beside the steps is shown", () => {
  const error = new AdminOutcomeUnknownError("http://n2:4514");
  const about = { command: "sealkv encryption rewrite --pause", asked: null };
  const trial = wizardAt("rewriting").on({
    kind: "steered",
    event: { ...about, kind: "failed", atMs: 4_000, error },
  });
  match(trial.state.notice, new RegExp(error.message.slice(0, 20)));
  equal(trial.state.log.at(-1)?.kind, "error");
});

Deno.test("commands beside the steps are not told as of others", () => {
  const about = { command: "sealkv encryption rewrite --pause", asked: null };
  const plan = { hash: "", steps: [] };
  const outcome = { plan, changed: true, index: 150n, unreachable: [] };
  const trial = wizardAt("rewriting").on({
    kind: "steered",
    event: { ...about, kind: "answered", atMs: 1, outcome, isOthers: false },
  });
  const own = eventOf({ index: 6n, actor: ACTOR, entry: 150n });
  trial.looks({ ...snapshotAt("rewriting"), events: [own] });
  deepEqual(trial.state.log.filter(({ kind }) => kind === "event"), []);
});

Deno.test("what others are refused is told, whatever was refused here", () => {
  const error = new AdminOutcomeUnknownError("http://n2:4514");
  const trial = run(started(), ASKED, { ...OF, kind: "failed", atMs: 1, error })
    .on({ kind: "run-over", atMs: 2 });
  const refused = { action: "scrub", result: "refused", entry: 0n } as const;
  const events = [
    eventOf({ ...refused, index: 6n, actor: ACTOR }),
    eventOf({ ...refused, index: 7n, actor: "ana@laptop" }),
  ];
  trial.looks({ ...snapshotAt("capable"), events });
  deepEqual(
    trial.state.log.filter(({ kind }) => kind === "event")
      .map(({ text }) => text),
    ["ana@laptop: scrub refused"],
  );
});
