import { deepEqual, equal, match, ok } from "node:assert/strict";
import { demoSeen } from "../../../tui/wizard/demo_seen.ts";
import { keysNow } from "../../../tui/wizard/keys.ts";
import { selectedStep } from "../../../tui/wizard/state.ts";
import { KEK, snapshotAt, withMember } from "../../unit/rollout/snapshots.ts";
import { TrialDemo } from "./trial_demo.ts";
import { HASH, OFFSET_MAX, rehearsed, Trial, wizardAt } from "./wizard_at.ts";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";

const CAPABLE = rehearsed(snapshotAt("capable"), "storage");

function planned() {
  return wizardAt("capable").looks(CAPABLE).presses("Enter");
}

Deno.test("a one-way step starts by its plan, then the name, then Enter", () => {
  const trial = planned();
  equal(trial.view(), "plan");
  trial.presses("Enter");
  equal(trial.view(), "confirm");
  trial.presses("prod", "Enter");
  deepEqual(trial.effects, [
    { kind: "run", step: "storage", planHash: HASH, only: null },
  ]);
  equal(trial.view(), "overview");
  equal(trial.state.runs.length, 1);
});

Deno.test("a wrong name clears the box, says so and starts nothing", () => {
  const trial = planned().presses("Enter", "prod-2", "Enter");
  deepEqual(trial.effects, []);
  const { view, notice } = trial.state;
  ok(view.kind === "confirm" && view.typed === "");
  match(notice, /"prod-2" is not the name of this cluster/);
  trial.presses("p");
  equal(trial.state.notice, "");
});

Deno.test("an Enter that came with other keys starts nothing", () => {
  const enter = { key: "Enter", text: "", isBurst: true };
  const trial = planned();
  trial.presses1(enter);
  equal(trial.view(), "plan");
  trial.presses("Enter", "prod");
  trial.presses1(enter);
  deepEqual(trial.effects, []);
  equal(trial.view(), "confirm");
});

Deno.test("Backspace takes back what was typed, q is a letter there", () => {
  const { view } = planned().presses("Enter", "prodq", "Backspace").state;
  ok(view.kind === "confirm");
  equal(view.typed, "prod");
});

Deno.test("Esc goes back one view at a time and starts nothing", () => {
  const trial = planned().presses("Enter", "prod");
  const kinds = ["confirm"];
  for (let i = 0; i < 2; i += 1) {
    kinds.push(trial.presses("Escape").view());
  }
  deepEqual(kinds, ["confirm", "plan", "overview"]);
  deepEqual(trial.effects, []);
});

Deno.test("a step that is not one way starts by Enter on its plan", () => {
  const trial = wizardAt("stored")
    .looks(rehearsed(snapshotAt("stored"), "rewrite"))
    .presses("Enter", "Enter");
  deepEqual(trial.effects, [
    { kind: "run", step: "rewrite", planHash: HASH, only: null },
  ]);
});

Deno.test("before the leader said what it would do, nothing starts", () => {
  const trial = wizardAt("capable").presses("Enter", "Enter");
  equal(trial.view(), "plan");
  match(trial.state.notice, /Wait for what the leader says/);
});

Deno.test("Enter says why it does not start a step", () => {
  const table = [
    ["plain", [], /started with its KEK where it runs|Blocked/],
    ["capable", ["Down"], /^Blocked: /],
    ["capable", ["Up"], /^Done already: /],
    ["rewriting", [], /^It runs: /],
  ] as const;
  for (const [rung, keys, wanted] of table) {
    const trial = wizardAt(rung).presses(...keys, "Enter");
    equal(trial.view(), "overview", rung);
    match(trial.state.notice, wanted, rung);
  }
});

Deno.test("who only looks has no keys that change something", () => {
  const trial = wizardAt("stored", { isReadOnly: true })
    .presses("Enter", "d", "+", "p", "e", "r", "c");
  equal(trial.view(), "overview");
  deepEqual(trial.effects, []);
  match(trial.presses("Enter").state.notice, /only looks \(--read-only\)/);
});

Deno.test("where nobody answers nothing is started", () => {
  const trial = wizardAt("capable");
  const error = new AdminUnreachableError(["http://n1:4514"]);
  trial.on({ kind: "look-failed", error, nowMs: 60_000 });
  trial.presses("Enter");
  equal(trial.state.notice, "Not while nobody answers.");
  trial.looks(CAPABLE, 61_000).presses("Enter");
  equal(trial.view(), "plan");
});

Deno.test("a look that nobody answers or refuses makes what is shown old", () => {
  const trial = wizardAt("capable").on({ kind: "waited", nowMs: 8_000 });
  equal(trial.presses("Enter").view(), "plan");
  trial.presses("Escape").on({ kind: "waited", nowMs: 10_000 });
  trial.presses("Enter");
  equal(trial.view(), "overview");
  equal(trial.state.notice, "Not while nobody answers.");
});

Deno.test("one look that fails is no reason to stop anybody", () => {
  const error = new AdminUnreachableError(["http://n1:4514"]);
  const trial = wizardAt("capable")
    .on({ kind: "look-failed", error, nowMs: 3_000 }).presses("Enter");
  equal(trial.view(), "plan");
});

Deno.test("arrows move over the ladder and stop at its ends", () => {
  const trial = wizardAt("capable");
  const ids = [selectedStep(trial.state)?.id];
  for (const key of ["Up", "Up", "Down", "Down"]) {
    ids.push(selectedStep(trial.presses(key).state)?.id);
  }
  deepEqual(ids, ["storage", "capability", "capability", "storage", "rewrite"]);
  trial.presses("Escape");
  equal(selectedStep(trial.state)?.id, "storage");
});

Deno.test("Tab goes round the panes, by the demo's where there is one", () => {
  const panes = (hasDemo: boolean) => {
    const trial = wizardAt("capable", {
      demo: hasDemo ? demoSeen(new TrialDemo()) : null,
    });
    return [1, 2, 3, 4].map(() => trial.presses("Tab").state.pane);
  };
  deepEqual(panes(false), ["members", "log", "step", "members"]);
  deepEqual(panes(true), ["members", "log", "demo", "step"]);
  equal(wizardAt("capable").presses("Shift-Tab").state.pane, "log");
});

Deno.test("scrolling stops at both ends", () => {
  const trial = wizardAt("capable").presses("PageUp");
  equal(trial.state.offset, 0);
  trial.presses("PageDown", "PageDown", "PageDown", "PageDown");
  equal(trial.state.offset, OFFSET_MAX);
  trial.presses("PageUp");
  ok(trial.state.offset < OFFSET_MAX);
  // Another view begins at its beginning.
  equal(trial.presses("?").state.offset, 0);
});

Deno.test("a log is scrolled from its end", () => {
  const trial = wizardAt("capable").presses("l", "Up", "Up", "Down");
  equal(trial.state.offset, 1);
});

Deno.test("q leaves at once while nothing runs, else it asks", () => {
  equal(wizardAt("capable").presses("q").state.exitCode, 0);
  const busy = wizardAt("rewriting").presses("q");
  equal(busy.view(), "leave");
  equal(busy.state.exitCode, null);
  equal(busy.presses("Escape").view(), "overview");
  equal(busy.presses("q", "Enter").state.exitCode, 0);
});

Deno.test("Ctrl-C leaves with 130, and asks once while something runs", () => {
  equal(wizardAt("capable").presses("Ctrl-C").state.exitCode, 130);
  const typing = planned().presses("Enter", "pro", "Ctrl-C");
  equal(typing.state.exitCode, 130);
  const busy = wizardAt("rewriting").presses("Ctrl-C");
  equal(busy.view(), "leave");
  equal(busy.presses("Ctrl-C").state.exitCode, 130);
});

Deno.test("a dwell is chosen before the rewrite, and asked for after", () => {
  const before = wizardAt("stored").presses("d", "Down", "Down", "Enter");
  const dayMs = 24 * 3_600_000;
  const { choices, seen } = before.state;
  equal(choices.dwellUntilMs, (seen?.snapshot.atMs ?? 0) + dayMs);
  equal(before.view(), "overview");
  const step = selectedStep(before.state);
  match(step?.commands[0] ?? "", /encryption dwell --until/);
  const after = wizardAt("rewriting").presses("d", "Down", "Enter");
  const dwellUntilMs = (seen?.snapshot.atMs ?? 0) + 3_600_000;
  deepEqual(after.effects, [
    { kind: "steer", command: { kind: "update-rollout", dwellUntilMs } },
  ]);
});

Deno.test("the rate is chosen before the rewrite, and changed while it runs", () => {
  const before = wizardAt("stored").presses("-");
  equal(before.state.choices.bytesPerSecond, 128 * 1_048_576);
  before.presses("+", "+");
  equal(before.state.choices.bytesPerSecond, 0);
  const running = wizardAt("rewriting").presses("-");
  deepEqual(running.effects, [{
    kind: "steer",
    command: {
      kind: "resume-rewrite",
      bytesPerSecond: 128 * 1_048_576,
      isFollowed: false,
    },
  }]);
});

Deno.test("p pauses a rewrite that runs and lets a paused one go on", () => {
  const running = wizardAt("rewriting").presses("p");
  deepEqual(running.effects, [
    { kind: "steer", command: { kind: "pause-rewrite" } },
  ]);
  const snapshot = snapshotAt("rewriting");
  const rewrite = { id: 120n, bytesPerSecond: 0n, isPaused: true };
  const paused = wizardAt("rewriting")
    .looks({ ...snapshot, rollout: { rewrite, dwellUntilMs: 0n } })
    .presses("p");
  deepEqual(paused.effects, [{
    kind: "steer",
    command: {
      kind: "resume-rewrite",
      bytesPerSecond: null,
      isFollowed: false,
    },
  }]);
});

Deno.test("risks are accepted and taken back, and the plan shows it", () => {
  const trial = wizardAt("locked").presses("r", "Enter");
  deepEqual(trial.state.choices.accept, ["short-dwell"]);
  equal(trial.view(), "choose");
  match(selectedStep(trial.state)?.commands[0] ?? "", /--accept-short-dwell/);
  trial.presses("Enter");
  deepEqual(trial.state.choices.accept, []);
});

Deno.test("one of several keys is rotated alone when it is chosen", () => {
  const trial = wizardAt("scrubbed").presses("Down").presses(
    "c",
    "Down",
    "Enter",
  );
  const { only } = trial.state;
  match(only ?? "", /rotate-dek --purpose storage/);
  trial.presses("Enter", "Enter");
  deepEqual(trial.effects, [
    { kind: "run", step: "rotate", planHash: "", only },
  ]);
});

Deno.test("the escrow check wants the end of the KEK's id", () => {
  const trial = wizardAt("capable").presses("Up", "e", "0000", "Enter");
  equal(trial.state.isEscrowProven, false);
  match(trial.state.notice, /"0000" is not how the id/);
  trial.presses(KEK.slice(-4).toUpperCase(), "Enter");
  equal(trial.state.isEscrowProven, true);
  equal(trial.view(), "overview");
});

Deno.test("a member that goes takes the start away from who types the name", () => {
  const trial = planned().presses("Enter", "prod");
  trial.looks(withMember(CAPABLE, "n3", { up: false, ready: false }));
  trial.presses("Enter");
  deepEqual(trial.effects, []);
  match(trial.state.notice, /^Blocked: /);
});

Deno.test("footers name no key that does nothing", () => {
  const footer = ({ state }: Trial) => keysNow(state).map(({ brief }) => brief);
  const trial = planned().presses("Enter");
  deepEqual(footer(trial), ["go on", "back"]);
  const away = withMember(snapshotAt("capable"), "n3", { up: false });
  deepEqual(footer(trial.looks({ ...away, rehearsal: null })), ["back"]);
  deepEqual(footer(wizardAt("capable").presses("l")), ["scroll", "back"]);
  deepEqual(footer(new Trial()), ["help", "leave"]);
  const choosing = wizardAt("rewritten").presses("r");
  deepEqual(footer(choosing), ["take", "back"]);
  const late = choosing.on({ kind: "waited", nowMs: 60_000 });
  deepEqual(footer(late), ["back"]);
});

Deno.test("p pauses nothing that is at its end", () => {
  deepEqual(wizardAt("rewritten").presses("Up", "p").effects, []);
});

Deno.test("what is chosen is of the step it was opened on", () => {
  const trial = wizardAt("rewriting").presses("d");
  trial.looks(snapshotAt("rewritten"));
  equal(selectedStep(trial.state)?.id, "rewrite");
});

Deno.test("one step at a time, and that is said", () => {
  const trial = planned().presses("Enter", "prod", "Enter", "Enter");
  equal(trial.view(), "overview");
  match(trial.state.notice, /^One step at a time/);
});
