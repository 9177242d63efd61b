import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Check, CheckId } from "../../../src/rollout/check.ts";
import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import { NO_CHOICES } from "../../../src/rollout/snapshot.ts";
import { rangeText, spanText } from "../../../tui/wizard/amount.ts";
import { checkRows, checkSummary } from "../../../tui/wizard/check_rows.ts";
import { demoSeen } from "../../../tui/wizard/demo_seen.ts";
import { headRow } from "../../../tui/wizard/head_row.ts";
import { ladderRows, standingOf } from "../../../tui/wizard/ladder_rows.ts";
import { logRows } from "../../../tui/wizard/log_rows.ts";
import {
  memberDetailRows,
  memberRows,
} from "../../../tui/wizard/member_rows.ts";
import { hanging, type Row } from "../../../tui/wizard/paragraph.ts";
import { progressRows } from "../../../tui/wizard/progress_rows.ts";
import { reportLines } from "../../../tui/wizard/report.ts";
import {
  encryptionAt,
  snapshotAt,
  stepIn,
  taskOf,
  withEncryption,
  withMember,
} from "../../unit/rollout/snapshots.ts";
import { TrialDemo } from "./trial_demo.ts";
import { rehearsed, wizardAt } from "./wizard_at.ts";

function textOf(rows: readonly Row[]): string {
  return rows.map((row) => row.map(({ text }) => text).join("")).join("\n");
}

Deno.test("hanging() keeps texts beside their head, whatever the width", () => {
  const rows = hanging([{ text: "fix: " }], { text: "a bb ccc", width: 10 });
  equal(textOf(rows), "fix: a bb ccc");
  const narrow = hanging([{ text: "fix: " }], {
    text: "one two three four",
    width: 16,
  });
  equal(textOf(narrow), "fix: one two\n     three four");
});

Deno.test("standingOf() tells what is blocked from what waits its turn", () => {
  const table = [
    ["plain", "blocked later later"],
    ["capable", "done ready later"],
    ["stored", "done done ready"],
    ["rewriting", "done done running"],
  ] as const;
  for (const [rung, wanted] of table) {
    const plan = planRollout(snapshotAt(rung), NO_CHOICES);
    const standings = plan.steps.slice(0, 3)
      .map((step) => standingOf(plan, step)).join(" ");
    equal(standings, wanted, rung);
  }
});

Deno.test("ladderRows() says every state by a mark, and by a word with room", () => {
  const plan = planRollout(snapshotAt("stored"), NO_CHOICES);
  const selected = plan.steps[2] ?? null;
  const rows = ladderRows(plan, { selected, underWay: null, width: 37 });
  deepEqual(textOf(rows.slice(1, 4)).split("\n").map((row) => row.trimEnd()), [
    "  [x] 2 Storage cutover   1W  done",
    "> [ ] 3 Dwell and rewrite     ready",
    "  [ ] 4 Seal cleartext    1W  later",
  ]);
  const narrow = ladderRows(plan, { selected, underWay: "rewrite", width: 28 });
  equal(textOf(narrow.slice(2, 3)).trimEnd(), "> [~] 3 Dwell and rewrite");
});

Deno.test("checkRows() says what fails once for all who share it", () => {
  let snapshot = snapshotAt("capable");
  for (const name of ["n2", "n3"]) {
    snapshot = withMember(snapshot, name, { up: false });
  }
  const { checks } = stepIn(snapshot, "storage");
  const options = { showsAll: false, issuesOnly: false, width: 100 };
  const text = textOf(checkRows(checks, options));
  match(text, /^\[!\] G\d\d [^\n]*n2, n3 /m);
  match(text, /^ {8}fix n2, n3: /m);
  match(text, /^\[x\] [^\n]* pass$/m);
  ok(text.indexOf("[!]") < text.indexOf("[x]"), "what blocks comes first");
  match(checkSummary(checks), /^\d+ fail, \d+ warn of \d+$/);
  const issues = textOf(checkRows(checks, { ...options, issuesOnly: true }));
  equal(issues.includes("[x]"), false);
  const all = checkRows(checks, { ...options, showsAll: true });
  ok(all.length > checkRows(checks, options).length);
});

Deno.test("memberRows() says what each member seals, and what is unknown", () => {
  const silent = withEncryption(snapshotAt("locked"), "n3", null);
  const rows = memberRows(withMember(silent, "n1", { lag: 4_210n }));
  deepEqual(rows.map(({ store, log, kek }) => [store, log, kek]), [
    ["locked", "clear", "3f2a"],
    ["locked", "clear", "3f2a"],
    ["?", "?", "?"],
  ]);
  deepEqual(rows.map(({ lag, isWell }) => [lag, isWell]), [
    ["4210 !", false],
    ["0", true],
    ["0", true],
  ]);
});

Deno.test("progressRows() shows each member and what is still to come", () => {
  const text = textOf(progressRows({
    tasks: [
      taskOf("n1", { state: "running", done: 41n, total: 70n }),
      taskOf("node-2", { state: "failed", failure: "disk full" }),
    ],
    isPaused: true,
    bytesPerSecond: 8n * 1_048_576n,
  }, {
    estimate: {
      bytesPerSecond: 2_097_152,
      remainingMs: { least: 60_000, most: 180_000 },
    },
    width: 80,
    isUnicode: false,
  }));
  match(text, /^n1 {5}\[#+\.+\] {2}58 % {2}41 of 70 records/);
  match(text, /^node-2 .*FAILED/m);
  match(text, /\[!\] node-2: disk full/);
  match(
    text,
    /paused, 2.0 MiB\/s in all, done in 60 s to 3 min, at most 8.0 MiB\/s on each/,
  );
});

Deno.test("headRow() tells how old it is, in exactly its width", () => {
  const { state } = wizardAt("capable");
  for (const width of [60, 80, 120]) {
    const text = textOf([headRow(state, width)]);
    ok([...text].length <= width, text);
    match(text, /^ prod {2}phase 0.*live$/);
  }
});

Deno.test("memberDetailRows() has addresses in full on narrow terminals", () => {
  const [clientAddress, adminAddress] = [
    "node-1.keys.prod.example:4512",
    "node-1.keys.prod.example:4514",
  ];
  const snapshot = withEncryption(
    withMember(snapshotAt("capable"), "n1", { clientAddress, adminAddress }),
    "n3",
    { own: encryptionAt("n3", "plain").own },
  );
  const rows = textOf(memberDetailRows(snapshot, 56)).split("\n");
  ok(rows.every((row) => row.length <= 56), rows.join("\n"));
  const text = rows.join("\n");
  ok(text.includes(`clients  ${clientAddress}\n`), text);
  ok(text.includes(`admin    ${adminAddress}\n`), text);
  match(text.replaceAll(/\s+/g, " "), /n3 .*\[!\] encryption is off on this/);
});

Deno.test("checkRows() says what two checks want once", () => {
  const failed = (id: CheckId, text: string): Check => ({
    id,
    title: "A check",
    verdict: "fail",
    evidence: [{ member: "n3", verdict: "fail", text, remedy: "Do this" }],
  });
  const checks = [failed("K03", "lacks one"), failed("K01", "has none")];
  const options = { showsAll: false, issuesOnly: false, width: 60 };
  equal(
    textOf(checkRows(checks, options)),
    "[!] K03 A check: n3 lacks one\n        fix n3: Do this\n" +
      "[!] K01 A check: n3 has none\n        fix: as K03",
  );
});

Deno.test("logRows() has the time of each line", () => {
  const atMs = Date.parse("2026-11-26T08:00:01Z");
  const text = textOf(logRows([
    { atMs, kind: "command", text: "$ sealkv encryption scrub" },
    { atMs, kind: "result", text: "done" },
  ], 60));
  equal(text, "08:00:01 $ sealkv encryption scrub\n08:00:01   done");
});

Deno.test("reportLines() says what was done, by what, and what is next", () => {
  const { state } = wizardAt("stored");
  const run = {
    step: "storage",
    startedMs: Date.parse("2026-11-26T08:00:00Z"),
    endedMs: Date.parse("2026-11-26T08:00:01Z"),
    command: "",
    progress: null,
    outcomes: [{
      plan: { hash: "", steps: [] },
      changed: true,
      index: 101n,
      unreachable: [],
    }],
    isOthers: false,
    error: null,
  } as const;
  const lines = reportLines({ ...state, runs: [run] }, "rollout.sh");
  deepEqual(lines, [
    "prod: phase 1, 2 of 6 steps done",
    "  Storage cutover: done, index 101, 2026-11-26T08:00:00Z, took 1.0 s",
    "transcript: rollout.sh",
    "next: Dwell and rewrite",
    "  sealkv encryption rewrite --follow",
  ]);
  equal(reportLines(state, "rollout.sh").join().includes("rollout.sh"), false);
});

Deno.test("reportLines() counts steps that recur as no steps of a rollout", () => {
  const [head] = reportLines(wizardAt("rotated").state, "rollout.sh");
  equal(head, "prod: phase 2, 6 of 6 steps done");
});

Deno.test("reportLines() names nothing to go on with where a demo ends", () => {
  const demo = demoSeen(new TrialDemo());
  const { state } = wizardAt("capable", { demo }).looks(
    rehearsed(snapshotAt("capable"), "storage"),
  ).presses("Enter", "Enter", "prod", "Enter");
  const text = reportLines(state, "rollout.sh").join("\n");
  match(text, /Storage cutover: begun .*, not over yet$/);
  ok(!/sealkv|rollout\.sh|next:/.test(text), text);
});

Deno.test("amounts are written as people say them", () => {
  const spans = [-1, 400, 40_000, 180_000, 7_500_000, 360_000_000];
  deepEqual(spans.map(spanText), [
    "0.0 s",
    "0.4 s",
    "40 s",
    "3 min",
    "2 h 5 min",
    "4 d 4 h",
  ]);
  equal(rangeText(40_000, 40_400), "40 s");
  equal(rangeText(60_000, 180_000), "60 s to 3 min");
});
