import assert from "node:assert/strict";
import { NO_HISTORY, withLook } from "../../../tui/dashboard/history.ts";
import { issuesOf } from "../../../tui/dashboard/issues.ts";
import type { Seen } from "../../../tui/dashboard/seen.ts";
import { workOf } from "../../../tui/dashboard/work.ts";
import {
  encryptionOf,
  memberOf,
  seenOf,
  silentEncryption,
  silentVitals,
  STATUS,
  statusOf,
  taskOf,
  vitalsAt,
} from "./seen_cluster.ts";

const ALL_WELL = ["n1", "n2", "n3"].map((name) => encryptionOf(name));
const GAP = "this node has no KEK: make one with `sealkv kek generate`";
const CAUSE =
  "no KEK of this node works (Cannot read a as b: it is c): correct it";
const JOB = { id: 5n, bytesPerSecond: 0n, isPaused: false };

const CASES: readonly (readonly [string, Partial<Seen>, readonly string[]])[] =
  [
    ["all is well", { encryption: ALL_WELL }, []],
    ["nobody answers", { silence: "n1: it is silent" }, [
      " nobody answers: n1: it is silent",
    ]],
    ["nobody leads", { status: { ...STATUS, leader: "" } }, [
      " nobody leads: no writes",
    ]],
    ["a member is down", {
      status: statusOf(memberOf("n1"), memberOf("n3", { up: false })),
      // What it does not say is no issue of its own.
      history: withLook(NO_HISTORY, [silentVitals("n3")]),
      encryption: [...ALL_WELL.slice(0, 1), silentEncryption("n3")],
    }, ["n3 it is down"]],
    ["a member never came", {
      status: statusOf(memberOf("n4", { up: false, hasStarted: false })),
    }, ["n4 it was never started"]],
    [
      "a lag of the most",
      { status: statusOf(memberOf("n3", { lag: 1_000n })) },
      [],
    ],
    ["a lag of one more", {
      status: statusOf(memberOf("n3", { lag: 1_001n, ready: false })),
    }, ["n3 it is 1001 entries behind, most 1000"]],
    ["a member is not ready", {
      status: statusOf(memberOf("n3", { ready: false })),
    }, ["n3 it is not ready"]],
    ["a member has no figures", {
      history: withLook(NO_HISTORY, [silentVitals("n2")]),
    }, ["n2 no figures: Cannot reach"]],
    ["a disk fills", {
      history: withLook(NO_HISTORY, [
        vitalsAt("n1", 1, { diskFreeBytes: 29n, diskTotalBytes: 100n }),
        vitalsAt("n2", 1, { diskFreeBytes: 30n, diskTotalBytes: 100n }),
        vitalsAt("n3", 1, { diskFreeBytes: 0n, diskTotalBytes: 0n }),
      ]),
    }, ["n1 disk 29 % (29 B) free, least 30 %"]],
    ["a member lacks its KEK", {
      encryption: [encryptionOf("n1"), encryptionOf("n2", { gaps: [GAP] })],
    }, ["n2 this node has no KEK"]],
    ["a KEK does not work", {
      encryption: [encryptionOf("n2", { gaps: [CAUSE] })],
    }, ["n2 no KEK of this node works (Cannot read a as b: it is c)"]],
    ["nobody wants encryption", {
      encryption: ["n1", "n2"].map((name) =>
        encryptionOf(name, { isEnabled: false, gaps: [GAP] })
      ),
    }, []],
    ["a member does not tell its keys", {
      encryption: [encryptionOf("n1"), silentEncryption("n2")],
    }, ["n2 no keys told: Cannot reach"]],
    ["a rewrite fails", {
      rewrite: {
        job: JOB,
        members: [taskOf("n1", { state: "failed", failure: "disk full" })],
      },
    }, ["n1 its rewrite failed: disk full"]],
  ];

for (const [name, more, expected] of CASES) {
  Deno.test(`issuesOf() when ${name}`, () => {
    const issues = issuesOf(seenOf(more));
    assert.equal(issues.length, expected.length, JSON.stringify(issues));
    issues.forEach(({ member, text, remedy }, position) => {
      const line = `${member} ${text}`;
      assert.ok(line.startsWith(expected[position] ?? "-"), line);
      assert.notEqual(remedy, "");
    });
  });
}

Deno.test("workOf() shows what is under way and nothing else", () => {
  const done = taskOf("n2", { state: "done", done: 9n, total: 9n });
  const through = { job: JOB, members: [done] };
  assert.deepEqual(workOf({ rewrite: null, underWay: null }), []);
  assert.deepEqual(workOf({ rewrite: through, underWay: null }), []);
  const running = { job: JOB, members: [taskOf("n1"), done] };
  assert.deepEqual(workOf({ rewrite: running, underWay: null }), [{
    action: "rewrite",
    share: 0.75,
    text: "1 of 2 members done, 250 records/s, no bound",
    isWell: true,
  }]);
});

Deno.test("workOf() names who has come to a halt", () => {
  const members = [
    taskOf("n1", { state: "silent", total: 0n }),
    taskOf("n2", { state: "failed", failure: "disk full" }),
  ];
  const job = { ...JOB, bytesPerSecond: 1_048_576n };
  const [one] = workOf({ rewrite: { job, members }, underWay: null });
  assert.deepEqual([one?.share, one?.isWell, one?.text], [
    null,
    false,
    "0 of 2 members done, n1 does not answer, n2 FAILED, " +
    "at most 1.0 MiB/s each",
  ]);
  const paused = { job: { ...job, isPaused: true }, members: [] };
  const [two] = workOf({
    rewrite: paused,
    underWay: { action: "scrub", members: [taskOf("n1")] },
  });
  assert.equal(two?.text, "0 of 0 members done, PAUSED");
});
