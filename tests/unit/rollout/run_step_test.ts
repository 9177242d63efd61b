import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  AdminNoLeaderError,
  AdminOutcomeUnknownError,
  AdminUnreachableError,
  RemoteError,
} from "../../../src/admin/errors.ts";
import type { AdminClient } from "../../../src/admin/client.ts";
import { pause } from "../../../src/io/pause.ts";
import type { RunEvent, RunTerms } from "../../../src/rollout/run.ts";
import { runCommand, runStep } from "../../../src/rollout/run_step.ts";
import { NO_CHOICES } from "../../../src/rollout/snapshot.ts";
import type { StepId } from "../../../src/rollout/step.ts";
import { ClimbingCluster, type Fate } from "./climbing_cluster.ts";
import { eagerClock } from "./eager_clock.ts";
import { JOB, NAMES, type Rung, taskOf } from "./snapshots.ts";

const NAMED = "--confirm prod";

async function taken(
  cluster: ClimbingCluster,
  step: StepId,
  terms: Partial<RunTerms> = {},
): Promise<readonly RunEvent[]> {
  const options = { clock: eagerClock(), choices: NO_CHOICES };
  const run = runStep(cluster.client(), options);
  const { signal } = new AbortController();
  return await Array.fromAsync(
    run(step, { confirm: "prod", planHash: "", signal, ...terms }),
  );
}

/** Without progress: kind, command and what came of it. */
function story(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => {
    switch (event.kind) {
      case "progress":
        return [];
      case "asked":
        return [`$ ${event.command.replace("sealkv encryption ", "")}`];
      case "answered":
        return [
          [
            event.outcome.changed ? "done" : "unchanged",
            event.outcome.index,
            ...event.isOthers ? ["others"] : [],
          ].join(" "),
        ];
      case "failed":
        return [`failed ${event.error.code}`];
    }
  });
}

function states(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.kind === "progress"
      ? [event.progress.tasks.map(({ state }) => state).join(" ")]
      : []
  );
}

const CASES: [Rung, StepId, readonly string[]][] = [
  ["capable", "storage", [
    `$ enable-storage-envelope ${NAMED}`,
    "done 950",
  ]],
  ["stored", "rewrite", ["$ rewrite --follow", "done 950"]],
  ["rewriting", "rewrite", ["$ rewrite --resume --follow", "done 950"]],
  ["rewritten", "seal", [`$ seal-cleartext ${NAMED}`, "done 950"]],
  ["locked", "raft", [`$ enable-raft-envelope ${NAMED}`, "done 950"]],
  ["sealed", "scrub", [
    "$ scrub",
    "done 950",
    "$ status --verify",
    "unchanged 0",
  ]],
  ["scrubbed", "rotate", [
    "$ rotate-dek --purpose storage",
    "done 950",
    "$ rotate-dek --purpose raft",
    "done 950",
  ]],
  ["rotated", "retire", [
    "$ rewrite --resume --follow",
    "done 950",
    `$ retire-dek --key-id 11 ${NAMED}`,
    "done 950",
    `$ retire-dek --key-id 12 ${NAMED}`,
    "done 950",
  ]],
  ["plain", "capability", ["failed ROLLOUT_STEP_BLOCKED"]],
  ["scrubbed", "retire", ["failed ROLLOUT_STEP_BLOCKED"]],
];

for (const [rung, step, expected] of CASES) {
  Deno.test(`runStep() takes "${step}" of a cluster that is ${rung}`, async () => {
    const cluster = new ClimbingCluster(rung);
    deepEqual(story(await taken(cluster, step)), expected);
  });
}

Deno.test("runStep() follows a cutover until every member has it", async () => {
  const cluster = new ClimbingCluster("capable");
  // Before the call for the commands and for the command, then of the fan-out.
  cluster.silentLooks = { 3: "n3" };
  const events = await taken(cluster, "storage");
  deepEqual(states(events), ["done done silent", "done done done"]);
  equal(events.at(-1)?.kind, "answered");
});

Deno.test("runStep() sends the name, the hash and nothing that was not accepted", async () => {
  const cluster = new ClimbingCluster("rewritten");
  await taken(cluster, "seal", { planHash: "00000000000000aa" });
  const { options } = cluster.asked[0]!;
  equal(options.confirm, "prod");
  equal(options.planHash, "00000000000000aa");
  deepEqual(options.accept, []);
});

Deno.test("runStep() gives a hash to no step of several commands", async () => {
  const cluster = new ClimbingCluster("scrubbed");
  await taken(cluster, "rotate", { planHash: "00000000000000aa" });
  deepEqual(cluster.asked.map(({ options }) => options.planHash), ["", ""]);
});

Deno.test("runStep() takes one command of a step alone", async () => {
  const cluster = new ClimbingCluster("rotated");
  const only = `sealkv encryption retire-dek --key-id 12 ${NAMED}`;
  await taken(cluster, "retire", { only });
  deepEqual(cluster.asked.map(({ kind, of }) => [kind, of]), [
    ["retire-dek", 12],
  ]);
});

function refusal(code: "NODE_CHANGE_UNDER_WAY" | "NODE_PLAN_STALE") {
  return new RemoteError(code, "Cannot", "Look again");
}

const UNDECIDED: [string, Rung, StepId, string, Fate][] = [
  [
    "a cutover",
    "capable",
    "storage",
    "enable-storage-envelope",
    "done-unanswered",
  ],
  ["a lock", "rewritten", "seal", "seal-cleartext", "done-unanswered"],
  ["a scrub", "sealed", "scrub", "scrub", "done-unanswered"],
];

for (const [name, rung, step, kind, fate] of UNDECIDED) {
  Deno.test(`runStep() lets the cluster decide what came of ${name}`, async () => {
    const cluster = new ClimbingCluster(rung);
    cluster.fates[kind] = [fate];
    const [asked, answered] = story(await taken(cluster, step));
    match(asked!, new RegExp(`^\\$ ${kind}`));
    match(answered!, /^done \d+$/);
    equal(cluster.kinds.filter((one) => one === kind).length, 1);
  });
}

Deno.test("runStep() fails with the unknown when nothing was done, and never asks again", async () => {
  const cluster = new ClimbingCluster("capable");
  cluster.fates["enable-storage-envelope"] = [
    new AdminOutcomeUnknownError("n2"),
  ];
  const events = await taken(cluster, "storage");
  equal(story(events).at(-1), "failed ADMIN_OUTCOME_UNKNOWN");
  equal(cluster.asked.length, 1);
});

Deno.test("runStep() gives up a call that its leader knows nothing of", async () => {
  const cluster = new ClimbingCluster("rewritten");
  cluster.fates["seal-cleartext"] = ["hangs"];
  const events = await taken(cluster, "seal");
  equal(story(events).at(-1), "failed ADMIN_OUTCOME_UNKNOWN");
  equal(cluster.asked.length, 1);
});

Deno.test("runStep() knows by the next leader that nothing came of it", async () => {
  const cluster = new ClimbingCluster("rewritten");
  cluster.fates["seal-cleartext"] = [new AdminOutcomeUnknownError("n2")];
  cluster.isLeaderLost = true;
  const events = await taken(cluster, "seal");
  equal(story(events).at(-1), "failed ROLLOUT_STEP_UNDONE");
  equal(cluster.asked.length, 1);
});

Deno.test("runStep() finds under the next leader what the last one did", async () => {
  const cluster = new ClimbingCluster("rewritten");
  cluster.fates["seal-cleartext"] = ["done-unanswered"];
  cluster.isLeaderLost = true;
  equal(story(await taken(cluster, "seal")).at(-1), "done 200");
});

Deno.test("runStep() waits for no leader that another one has replaced", async () => {
  const cluster = new ClimbingCluster("capable");
  cluster.fates["enable-storage-envelope"] = ["hangs"];
  cluster.isLeaderLost = true;
  const events = await taken(cluster, "storage");
  equal(story(events).at(-1), "failed ROLLOUT_STEP_UNDONE");
  const [asked, failed] = [events[0], events.at(-1)];
  ok(asked?.kind === "asked" && failed?.kind === "failed");
  ok(failed.atMs - asked.atMs < 14_000, `${failed.atMs - asked.atMs} ms`);
});

Deno.test("runStep() lets an old and a new leader ask slow members", async () => {
  const cluster = new ClimbingCluster("capable");
  const client = cluster.client();
  const clock = eagerClock();
  const { signal } = new AbortController();
  let isAsked = false;
  const slow: AdminClient = {
    ...client,
    getStatus: async () => {
      const status = await client.getStatus();
      return isAsked ? { ...status, term: status.term + 1n } : status;
    },
    enableStorageEnvelope: async (options) => {
      isAsked = true;
      const untilMs = clock.monotonicMs() + 7_000;
      while (clock.monotonicMs() < untilMs) {
        await pause(100, clock, signal);
        if (options?.signal?.aborted) throw new AdminOutcomeUnknownError("n2");
      }
      return await client.enableStorageEnvelope(options);
    },
  };
  const terms = { confirm: "prod", planHash: "", signal };
  const run = runStep(slow, { clock, choices: NO_CHOICES });
  const events = await Array.fromAsync(run("storage", terms));
  match(story(events).at(-1)!, /^done \d+$/);
});

Deno.test("runStep() believes any member that a change is done", async () => {
  const cluster = new ClimbingCluster("capable");
  cluster.fates["enable-storage-envelope"] = ["done-unanswered"];
  const client = cluster.client();
  const { encryption } = new ClimbingCluster("capable").snapshot.members[0]!;
  // Whoever is asked first is cut off.
  const cutOff = { ...client, encryptionState: async () => encryption! };
  const options = { clock: eagerClock(), choices: NO_CHOICES };
  const { signal } = new AbortController();
  const terms = { confirm: "prod", planHash: "", signal };
  const events = await Array.fromAsync(
    runStep(cutOff, options)("storage", terms),
  );
  match(story(events).at(-1)!, /^done \d+$/);
});

Deno.test("runStep() has records counted anew when a leader goes amid it", async () => {
  const cluster = new ClimbingCluster("sealed");
  cluster.lostCounts = [new AdminUnreachableError(["n2"])];
  equal(story(await taken(cluster, "scrub")).at(-1), "unchanged 0");
});

Deno.test("runStep() shows what members are at while a change takes its time", async () => {
  const cluster = new ClimbingCluster("rewritten");
  cluster.fates["seal-cleartext"] = ["hangs"];
  const members = NAMES.map((name) => taskOf(name, { state: "running" }));
  cluster.underWay = [
    { action: "seal-cleartext", members },
    { action: "seal-cleartext", members },
    () => void (cluster.rung = "locked"),
  ];
  const events = await taken(cluster, "seal");
  deepEqual(states(events).slice(0, 2), [
    "running running running",
    "running running running",
  ]);
  // The connection was lost, and the lock is there.
  equal(story(events).at(-1), "done 200");
});

Deno.test("runStep() follows somebody else's change of the same kind", async () => {
  const cluster = new ClimbingCluster("rewritten");
  cluster.fates["seal-cleartext"] = [refusal("NODE_CHANGE_UNDER_WAY")];
  const members = NAMES.map((name) => taskOf(name, { state: "running" }));
  cluster.underWay = [
    { action: "seal-cleartext", members },
    () => void (cluster.rung = "locked"),
  ];
  const events = await taken(cluster, "seal");
  equal(story(events).at(-1), "unchanged 200 others");
  equal(cluster.asked.length, 1);
});

Deno.test("runStep() takes what somebody else has just done as done", async () => {
  const cluster = new ClimbingCluster("locked");
  cluster.fates["seal-cleartext"] = [refusal("NODE_PLAN_STALE")];
  const events = await taken(cluster, "seal");
  equal(story(events).at(-1), "unchanged 200 others");
});

Deno.test("runStep() fails with what it is refused with", async () => {
  const cluster = new ClimbingCluster("rewritten");
  cluster.fates["seal-cleartext"] = [refusal("NODE_PLAN_STALE")];
  const events = await taken(cluster, "seal");
  equal(story(events).at(-1), "failed NODE_PLAN_STALE");
});

Deno.test("runStep() follows a rewrite through the loss of its leader", async () => {
  const cluster = new ClimbingCluster("stored");
  const running = {
    job: JOB,
    members: NAMES.map((name) => taskOf(name, { state: "running" })),
  };
  cluster.rewrites = [running, new AdminNoLeaderError(200), running];
  const events = await taken(cluster, "rewrite");
  deepEqual(states(events), [
    "running running running",
    "running running running",
    "done done done",
  ]);
  equal(story(events).at(-1), "done 950");
});

Deno.test("runStep() fails when the rewrite fails on a member", async () => {
  const cluster = new ClimbingCluster("stored");
  const failed = taskOf("n3", { state: "failed", failure: "disk full" });
  cluster.rewrites = [{ job: JOB, members: [taskOf("n1"), failed] }];
  const last = (await taken(cluster, "rewrite")).at(-1);
  ok(last?.kind === "failed");
  equal(last.error.code, "ROLLOUT_STEP_UNFINISHED");
  match(last.error.message, /"n3" failed: disk full/);
});

Deno.test("runStep() fails when the count after a scrub finds cleartext", async () => {
  const cluster = new ClimbingCluster("sealed");
  cluster.cleartext = 3n;
  const last = (await taken(cluster, "scrub")).at(-1);
  ok(last?.kind === "failed");
  match(last.error.message, /"n1" has 3 cleartext records/);
});

Deno.test("runStep() ends without a word when the look is ended", async () => {
  const cluster = new ClimbingCluster("rewritten");
  cluster.fates["seal-cleartext"] = ["hangs"];
  const end = new AbortController();
  const members = [taskOf("n1", { state: "running" })];
  cluster.underWay = [
    { action: "seal-cleartext", members },
    () => end.abort(),
  ];
  const events = await taken(cluster, "seal", { signal: end.signal });
  deepEqual(events.map(({ kind }) => kind), ["asked", "progress"]);
});

Deno.test("runCommand() pauses a rewrite", async () => {
  const cluster = new ClimbingCluster("rewriting");
  const options = { clock: eagerClock(), choices: NO_CHOICES };
  const { signal } = new AbortController();
  const run = runCommand(cluster.client(), options);
  const terms = { confirm: "prod", planHash: "", signal };
  const events = await Array.fromAsync(run({ kind: "pause-rewrite" }, terms));
  deepEqual(story(events), ["$ rewrite --pause", "done 950"]);
});
