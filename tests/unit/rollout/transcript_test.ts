import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import {
  AdminOutcomeUnknownError,
  RemoteError,
} from "../../../src/admin/errors.ts";
import type { ClusterEvent } from "../../../src/admin/client.ts";
import type { StepCommand } from "../../../src/rollout/command.ts";
import { commandLine } from "../../../src/rollout/command_text.ts";
import { TranscriptForeignError } from "../../../src/rollout/errors.ts";
import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import type { RunEvent } from "../../../src/rollout/run.ts";
import { NO_CHOICES } from "../../../src/rollout/snapshot.ts";
import type { StepId } from "../../../src/rollout/step.ts";
import { transcriptWriter } from "../../../src/rollout/transcript.ts";
import { eventOf, NOW_MS, type Rung, snapshotAt } from "./snapshots.ts";

const HEAD = {
  cluster: "prod",
  clusterId: "00010203-0405-0607-0809-0a0b0c0d0e0f",
  actor: "ana@laptop",
  atMs: NOW_MS,
  version: "0.1.0",
};
const FILE = "rollout.sh";
const STORAGE: StepCommand = { kind: "enable-storage-envelope" };
const RETIRE: StepCommand = {
  kind: "retire-dek",
  keyId: 11,
  purpose: "storage",
};

function writerAt(
  rung: Rung,
  before = "",
  events: readonly ClusterEvent[] = [],
) {
  const plan = planRollout(snapshotAt(rung), NO_CHOICES);
  return transcriptWriter({ path: FILE, before }, {
    ...{ head: HEAD, accept: [], plan, events },
  });
}

function about(command: StepCommand, atMs: number) {
  const terms = { confirm: "prod", accept: [] };
  return { command: commandLine(command, terms), asked: command, atMs };
}

function asked(command: StepCommand, afterIndex = 90n): RunEvent {
  return { kind: "asked", ...about(command, NOW_MS), afterIndex };
}

function answered(command: StepCommand, isOthers = false): RunEvent {
  const plan = { hash: "0123456789abcdef", steps: [] };
  const outcome = { plan, changed: true, index: 100n, unreachable: [] };
  const of = about(command, NOW_MS + 1_500);
  return { kind: "answered", ...of, outcome, isOthers };
}

function written(
  writer: ReturnType<typeof writerAt>,
  events: readonly (readonly [StepId, RunEvent])[],
): string {
  return writer.opening +
    events.map(([step, event]) => writer.event(step, event)).join("");
}

/** What a shell runs of it. */
function active(script: string): readonly string[] {
  return script.split("\n").filter((line) => line.startsWith("$SEALKV"));
}

Deno.test("a transcript is a script with the story in comments", () => {
  const text = written(writerAt("capable"), [
    ["storage", asked(STORAGE)],
    ["storage", answered(STORAGE)],
  ]);
  const [head, rest] = text.split("\n\n");
  match(head!, /^#!\/bin\/sh\n/);
  match(head!, /\nset -eu\n\[ -n "\$\{CLUSTER:-\}" \] \|\| CLUSTER=prod\n/);
  deepEqual(rest!.split("\n"), [
    "# step storage",
    '# asked 2026-11-26T08:00:00Z after entry 90: $SEALKV encryption enable-storage-envelope --confirm "$CLUSTER"',
    "# done 2026-11-26T08:00:01Z: done, at entry 100, took 1.5 s, plan 0123456789abcdef",
    '$SEALKV encryption enable-storage-envelope --confirm "$CLUSTER"',
    "",
  ]);
});

Deno.test("a transcript of nothing is empty", () => {
  equal(written(writerAt("capable"), []), "");
});

Deno.test("a transcript begun on a higher rung has those below for replay", () => {
  const text = written(writerAt("locked"), [
    ["raft", asked({ kind: "enable-raft-envelope" })],
    ["raft", answered({ kind: "enable-raft-envelope" })],
  ]);
  deepEqual(active(text).map((line) => line.split(" ")[2]), [
    "enable-storage-envelope",
    "rewrite",
    "seal-cleartext",
    "enable-raft-envelope",
  ]);
});

const REPLAYED: [StepCommand, string | null][] = [
  [RETIRE, 'retire-dek --replaced storage --confirm "$CLUSTER" # key 11'],
  [
    { kind: "start-rewrite", bytesPerSecond: 8_388_608, isFollowed: true },
    "rewrite --rate 8MiB --follow",
  ],
  [
    { kind: "resume-rewrite", bytesPerSecond: null, isFollowed: true },
    "rewrite --follow",
  ],
  [{ kind: "resume-rewrite", bytesPerSecond: 0, isFollowed: false }, null],
  [{ kind: "pause-rewrite" }, null],
  [
    { kind: "update-rollout", dwellUntilMs: NOW_MS },
    "dwell --until 2026-11-26T08:00:00Z",
  ],
  [{ kind: "update-rollout", dwellUntilMs: 0 }, "dwell --end"],
  [{ kind: "rotate-dek", purpose: "raft" }, "rotate-dek --purpose raft"],
  [{ kind: "verify" }, "status --verify"],
];

for (const [command, line] of REPLAYED) {
  Deno.test(`a transcript replays ${JSON.stringify(command)}`, () => {
    const text = written(writerAt("capable"), [
      ["storage", asked(command)],
      ["storage", answered(command)],
    ]);
    const expected = line === null ? [] : [`$SEALKV encryption ${line}`];
    deepEqual(active(text), expected);
    match(text, /^# done /m);
  });
}

Deno.test("a transcript does not replay what failed", () => {
  const error = new RemoteError(
    "NODE_PLAN_STALE",
    "Cannot\n$(rm -r /)",
    "Look",
  );
  const text = written(writerAt("capable"), [
    ["storage", asked(STORAGE)],
    ["storage", { kind: "failed", ...about(STORAGE, NOW_MS), error }],
  ]);
  deepEqual(active(text), []);
  match(
    text,
    /^# failed 2026-11-26T08:00:00Z: NODE_PLAN_STALE: Cannot\?\$\(rm/m,
  );
});

Deno.test("a name cannot leave its quotes", () => {
  const plan = planRollout(snapshotAt("capable"), NO_CHOICES);
  const head = { ...HEAD, cluster: "a'b\n$(id)" };
  const writer = transcriptWriter({ path: FILE, before: "" }, {
    ...{ head, accept: [], plan, events: [] },
  });
  const text = writer.event("storage", asked(STORAGE));
  match(text, /\|\| CLUSTER='a'\\''b\?\$\(id\)'\n/);
});

const KILLED = written(writerAt("capable"), [["storage", asked(STORAGE)]]);

Deno.test("a later run finds that the killed one's command was done", () => {
  const writer = writerAt("stored", KILLED);
  match(writer.opening, /^\n# resumed 2026-11-26T08:00:00Z by ana@laptop/);
  match(writer.opening, /did not see its end/);
  deepEqual(active(writer.opening), [
    '$SEALKV encryption enable-storage-envelope --confirm "$CLUSTER"',
  ]);
});

Deno.test("a later run finds that the killed one's command was not done", () => {
  deepEqual(active(writerAt("capable", KILLED).opening), []);
});

Deno.test("a later run adds what others did meanwhile, once", () => {
  const first = KILLED + written(writerAt("stored", KILLED), []);
  const writer = writerAt("locked", first);
  match(writer.opening, /somebody else meanwhile/);
  deepEqual(active(writer.opening).map((line) => line.split(" ")[2]), [
    "rewrite",
    "seal-cleartext",
  ]);
  deepEqual(active(writerAt("locked", first + writer.opening).opening), []);
});

const UNKNOWN: readonly (readonly [StepId, RunEvent])[] = [
  ["retire", asked(RETIRE, 300n)],
  ["retire", {
    kind: "failed",
    ...about(RETIRE, NOW_MS),
    error: new AdminOutcomeUnknownError("n2"),
  }],
];

Deno.test("a later run asks the history for what recurs", () => {
  const before = written(writerAt("scrubbed"), UNKNOWN);
  const done = { action: "retire-dek", detail: "key 11", entry: 310n };
  const lines = (event: Partial<ClusterEvent>) =>
    active(
      writerAt("scrubbed", before, [eventOf({ ...done, ...event })]).opening,
    );
  deepEqual(lines({ index: 311n }), [
    '$SEALKV encryption retire-dek --replaced storage --confirm "$CLUSTER" # key 11',
  ]);
  deepEqual(lines({ index: 299n }), []);
  deepEqual(lines({ index: 311n, detail: "key 12" }), []);
  deepEqual(lines({ index: 311n, result: "refused" }), []);
});

Deno.test("a file that is another one is left alone", () => {
  throws(() => writerAt("stored", "dear diary\n"), TranscriptForeignError);
  const other = KILLED.replaceAll("00010203", "ffffffff");
  throws(() => writerAt("stored", other), /of another cluster/);
  ok(KILLED.includes(HEAD.clusterId));
});
