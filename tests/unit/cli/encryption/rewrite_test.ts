import assert from "node:assert/strict";
import type {
  ClusterRewriteProgress,
  ClusterTask,
} from "../../../../src/admin/client.ts";
import { AdminNoLeaderError } from "../../../../src/admin/errors.ts";
import {
  type AskedEncryptionChange,
  runIn,
  type World,
} from "../fake_services.ts";
import { answerOf, encryptionChanged, JOB, taskOf } from "./values.ts";

const REWRITE = ["encryption", "rewrite"];
const DONE: Partial<ClusterTask> = { state: "done", done: 100n };

function look(...members: ClusterTask[]): ClusterRewriteProgress {
  return { job: JOB, members };
}

function world(given: Partial<World> = {}) {
  const asked: AskedEncryptionChange[] = [];
  const changeEncryption = (change: AskedEncryptionChange) => {
    asked.push(change);
    return encryptionChanged(change);
  };
  return { asked, changeEncryption, ...given };
}

const CHANGES: [args: string[], kind: string, of: unknown][] = [
  [[], "start-rewrite", 0],
  [["--rate", "8MiB"], "start-rewrite", 8_388_608],
  [["--rate", "0"], "start-rewrite", 0],
  [["--pause"], "pause-rewrite", undefined],
  [["--resume"], "resume-rewrite", null],
  [["--resume", "--rate", "512KiB"], "resume-rewrite", 524_288],
  [["--resume", "--rate", "0"], "resume-rewrite", 0],
];
for (const [args, kind, of] of CHANGES) {
  Deno.test(`rewrite ${args.join(" ")} asks for ${kind} of ${of}`, async () => {
    const { asked, ...given } = world();
    const { code, err } = await runIn(given, ...REWRITE, ...args);
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual([asked[0]?.kind, asked[0]?.of], [kind, of]);
    const dry = await runIn(given, ...REWRITE, ...args, "--dry-run");
    assert.match(dry.out, /nothing was changed; to do this: --plan/);
    assert.equal(asked[1]?.options.dryRun, true);
  });
}

Deno.test("rewrite --follow looks on until every member is done", async () => {
  const progress = [
    look(taskOf("n1"), taskOf("n2", { state: "waiting", done: 0n, total: 0n })),
    look(taskOf("n1", DONE), taskOf("n2", { state: "silent" })),
    look(taskOf("n1", DONE), taskOf("n2", DONE)),
  ];
  const { code, out, err } = await runIn(
    world({ progress }),
    ...[...REWRITE, "--follow"],
  );
  assert.equal(code, 0);
  assert.equal(err, "n1: 2 s left, 50/100 records, 1.0 MiB/s; n2: waiting\n");
  assert.match(
    out,
    /\nn1 \[#{20}\] 100% done, 100 records in 2 s\nn2 .*\nrewritten on every member; /,
  );
});

Deno.test("rewrite --follow draws bars in place on a terminal", async () => {
  const progress = [
    look(taskOf("n1"), taskOf("n2", { state: "silent" })),
    look(taskOf("n1", DONE), taskOf("n2", DONE)),
  ];
  const { err } = await runIn(
    world({ progress, isTerminal: true }),
    ...[...REWRITE, "--follow"],
  );
  const bar = "#".repeat(10) + "-".repeat(10);
  assert.ok(
    err.startsWith(
      `n1 [${bar}]  50% 2 s left, 50/100 records, 1.0 MiB/s\x1b[K\n` +
        "n2 NO ANSWER\x1b[K\n\x1b[2An1 [",
    ),
    err,
  );
  assert.ok(err.endsWith("\x1b[2A\x1b[J"), "the bars are taken away");
});

Deno.test("rewrite --follow --json is one object a look", async () => {
  const progress = [look(taskOf("n1")), look(taskOf("n1", DONE))];
  const { out, err } = await runIn(
    world({ progress }),
    ...[...REWRITE, "--rate", "8MiB", "--follow", "--json"],
  );
  const [change, first, last] = out.trim().split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(err, "");
  assert.equal(change.bytesPerSecond, "8388608");
  assert.deepEqual(first, {
    rewrite: {
      id: "184300",
      bytesPerSecond: "8388608",
      paused: false,
      members: [{
        member: "n1",
        state: "running",
        done: "50",
        total: "100",
        bytes: "2097152",
        elapsedMs: "2000",
        remainingMs: "2000",
        failure: "",
      }],
    },
  });
  assert.equal(last.rewrite.members[0].state, "done");
});

Deno.test("rewrite --wait ends with 7 and says who is not done", async () => {
  const { code, err } = await runIn(
    world({ progress: [look(taskOf("n1"))], onTimer: () => {} }),
    ...[...REWRITE, "--wait", "3s"],
  );
  assert.equal(code, 7);
  assert.match(err, /error\[CLI_UNFINISHED\].*n1: 2 s left/);
  assert.match(err, /remedy: The members go on by themselves/);
});

Deno.test("rewrite --follow ends with 7 when a member failed for good", async () => {
  const failed = taskOf("n2", { state: "failed", failure: "no space" });
  const { code, err } = await runIn(
    world({ progress: [look(taskOf("n1", DONE), failed)] }),
    ...[...REWRITE, "--follow"],
  );
  assert.equal(code, 7);
  assert.match(err, /current value is n2: FAILED: no space\n/);
});

Deno.test("rewrite --follow ends with 130 on Ctrl-C, and the rewrite goes on", async () => {
  const { code, err } = await runIn(
    world({
      progress: [look(taskOf("n1"))],
      onTimer: (_, signal) => signal("SIGINT"),
    }),
    ...[...REWRITE, "--wait", "1h"],
  );
  assert.equal(code, 130);
  assert.match(err, /no longer looking\. The members go on by themselves/);
});

Deno.test("rewrite --follow fails as the look does", async () => {
  const { code, err } = await runIn(
    world({ progress: [new AdminNoLeaderError(10)] }),
    ...[...REWRITE, "--follow"],
  );
  assert.equal(code, 5);
  assert.match(err, /^error\[ADMIN_NO_LEADER\]/);
});

const USAGE: [args: string[], said: RegExp][] = [
  [["--pause", "--resume"], /cannot be used with option/],
  [["--pause", "--rate", "1MiB"], /cannot be used with option/],
  [["--pause", "--follow"], /cannot be used with option/],
  [["--rate", "8MB"], /Write 512KiB, 8MiB/],
  [["--rate", "1B"], /Write 512KiB, 8MiB/],
];
for (const [args, said] of USAGE) {
  Deno.test(`rewrite ${args.join(" ")} is a usage error`, async () => {
    const { code, err } = await runIn(world(), ...REWRITE, ...args);
    assert.equal(code, 2);
    assert.match(err, said);
  });
}

const STATUS = ["encryption", "status"];
const encryption = [
  answerOf("n1", {
    phase: 2,
    storageCutoverIndex: 184_201n,
    cleartextLockIndex: 184_250n,
    raftCutoverIndex: 184_260n,
  }),
];
const rollout = { rewrite: JOB, dwellUntilMs: 1_745_924_400_000n };

Deno.test("encryption status shows cutovers, dwell and rewrite", async () => {
  const progress = [look(taskOf("n1", { state: "paused" }))];
  const { out } = await runIn({ encryption, rollout, progress }, ...STATUS);
  const bar = "#".repeat(10) + "-".repeat(10);
  assert.ok(
    out.startsWith(
      `phase 2 (raft envelope on)   state index 184201   seen by n1
records sealed from entry 184201, cleartext locked from entry 184250, log sealed
  from entry 184260
dwell until 2025-04-29T11:00:00Z: later one-way steps wait
rewrite under way, at most 8MiB a second on each member
n1 [${bar}]  50% paused at 50/100 records
`,
    ),
    out,
  );
  const { out: json } = await runIn(
    { encryption, rollout, progress },
    ...[...STATUS, "--json"],
  );
  const { rewrite, dwellUntil } = JSON.parse(json);
  assert.equal(dwellUntil, "2025-04-29T11:00:00Z");
  assert.equal(rewrite.members[0].state, "paused");
});

Deno.test("encryption status without a leader says who could tell more", async () => {
  const progress = [new AdminNoLeaderError(10)];
  const given = { encryption, rollout, progress };
  const { code, out } = await runIn(given, ...STATUS);
  assert.equal(code, 0);
  assert.match(out, /how far members are only a leader can say/);
  const { out: json } = await runIn(given, ...STATUS, "--json");
  assert.equal(JSON.parse(json).rewrite.members, null);
});

Deno.test("encryption status says when the rewrite is done", async () => {
  const progress = [look(taskOf("n1", DONE))];
  const { out } = await runIn({ encryption, rollout, progress }, ...STATUS);
  assert.match(out, /\nrewrite done\n/);
});
