/*
 * Goal: the ladder says of every step what is true, on every rung.
 * Method: tables over snapshots; what one row does not name is healthy.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import {
  NO_CHOICES,
  type RolloutChoices,
  type RolloutSnapshot,
} from "../../../src/rollout/snapshot.ts";
import {
  STEP_IDS,
  type StepId,
  type StepState,
} from "../../../src/rollout/step.ts";
import {
  encryptionAt,
  eventOf,
  JOB,
  NOW_MS,
  type Rung,
  snapshotAt,
  stepIn,
  taskOf,
  withEncryption,
  withMember,
} from "./snapshots.ts";

const LETTERS: Readonly<Record<StepState, string>> = {
  done: "d",
  ready: "r",
  blocked: "b",
  running: "R",
  failed: "F",
};

/** One letter per step. */
function ladder(
  snapshot: RolloutSnapshot,
  choices: RolloutChoices = NO_CHOICES,
): string {
  return planRollout(snapshot, choices).steps
    .map(({ state }) => LETTERS[state]).join("");
}

function choose(given: Partial<RolloutChoices>): RolloutChoices {
  return { ...NO_CHOICES, ...given };
}

const ON_RUNGS: readonly (readonly [Rung, string, StepId | null])[] = [
  ["plain", "bbbbbbbb", "capability"],
  ["capable", "drbbbbbb", "storage"],
  ["stored", "ddrbbbbb", "rewrite"],
  ["rewriting", "ddRbbbbb", "rewrite"],
  ["rewritten", "dddrbbbb", "seal"],
  ["locked", "ddddrbbb", "raft"],
  ["sealed", "dddddrbd", "scrub"],
  ["scrubbed", "ddddddrd", null],
  ["rotated", "ddddddrr", null],
];

for (const [rung, expected, next] of ON_RUNGS) {
  Deno.test(`planRollout() of a cluster that is ${rung}`, () => {
    const plan = planRollout(snapshotAt(rung), NO_CHOICES);
    equal(ladder(snapshotAt(rung)), expected);
    equal(plan.next, next);
    deepEqual(plan.steps.map(({ id }) => id), STEP_IDS);
    const { cluster, leader, term, atMs } = plan;
    deepEqual([cluster, leader, term, atMs], ["prod", "n2", 7n, NOW_MS]);
  });
}

const away = (rung: Rung) =>
  withMember(withEncryption(snapshotAt(rung), "n3", null), "n3", {
    up: false,
    ready: false,
  });
const keyless = (rung: Rung) =>
  withEncryption(snapshotAt(rung), "n3", {
    own: encryptionAt("n3", "plain").own,
  });
const leaderless = (rung: Rung) => {
  const snapshot = snapshotAt(rung, { capabilities: null, rewrite: null });
  return { ...snapshot, status: { ...snapshot.status, leader: "" } };
};

const FALLS: readonly (readonly [string, RolloutSnapshot, string])[] = [
  ["a member is away before the first step", away("capable"), "bbbbbbbb"],
  ["a member is away at the end", away("scrubbed"), "bdddddbd"],
  ["a member came back without its key", keyless("locked"), "bdddbbbb"],
  ["nobody leads", leaderless("rewritten"), "bdRbbbbb"],
  ["nobody leads a plain cluster", leaderless("plain"), "bbbbbbbb"],
  [
    "one has yet to apply the cutover",
    withEncryption(snapshotAt("stored"), "n3", {
      applied: 99n,
      phase: 0,
      storageCutoverIndex: 0n,
    }),
    "dRbbbbbb",
  ],
  [
    "the rewrite of one failed",
    snapshotAt("rewriting", {
      rewrite: {
        job: JOB,
        members: [
          taskOf("n1"),
          taskOf("n2", { state: "failed", failure: "disk full" }),
        ],
      },
    }),
    "ddFbbbbb",
  ],
  [
    "the lock is under way",
    snapshotAt("rewritten", {
      underWay: {
        action: "seal-cleartext",
        members: [taskOf("n1"), taskOf("n2", { state: "running" })],
      },
    }),
    "dddRbbbb",
  ],
  [
    "another long change holds the lock up",
    snapshotAt("rewritten", { underWay: { action: "scrub", members: [] } }),
    "dddbbRbb",
  ],
  [
    "the last try of the raft cutover was given up",
    snapshotAt("locked", {
      events: [eventOf({
        action: "enable-raft-envelope",
        result: "refused",
        detail: "NODE_CUTOVER_ABORTED",
      })],
    }),
    "ddddFbbb",
  ],
  [
    "what became of the last try is not known",
    snapshotAt("capable", {
      events: [eventOf({
        action: "enable-storage-envelope",
        result: "unknown",
        detail: "NODE_OUTCOME_UNKNOWN",
      })],
    }),
    "dFbbbbbb",
  ],
  [
    "a check refused the last try, and passes now",
    snapshotAt("capable", {
      events: [eventOf({
        action: "enable-storage-envelope",
        result: "refused",
        detail: "NODE_CAPABILITY_UNPROVEN",
      })],
    }),
    "drbbbbbb",
  ],
  [
    "a rotation has given the rewrite more to do",
    snapshotAt("rotated", {
      rewrite: { job: JOB, members: [taskOf("n1", { state: "running" })] },
    }),
    "ddRdddbb",
  ],
  [
    "a scrub of some is no scrub",
    snapshotAt("sealed", { events: [eventOf({ detail: "n1,n3" })] }),
    "dddddrbd",
  ],
  [
    "scrubs of each are one",
    snapshotAt("sealed", {
      events: [
        eventOf({ detail: "n1,n3" }),
        eventOf({ index: 301n, detail: "n2" }),
      ],
    }),
    "ddddddrd",
  ],
  [
    "a scrub of before the cutover counts for nothing",
    snapshotAt("sealed", { events: [eventOf({ index: 150n })] }),
    "dddddrbd",
  ],
  [
    "a scrub that failed counts for nothing",
    snapshotAt("sealed", {
      events: [eventOf({
        result: "refused",
        detail: "NODE_MEMBER_TASK_FAILED",
      })],
    }),
    "dddddFbd",
  ],
];

for (const [what, snapshot, expected] of FALLS) {
  Deno.test(`planRollout() when ${what}`, () => {
    equal(ladder(snapshot), expected);
  });
}

Deno.test("planRollout() lets the raft cutover go first when that is accepted", () => {
  const choices = choose({ accept: ["unrewritten"] });
  const snapshot = snapshotAt("stored");
  equal(ladder(snapshot, choices), "ddrbrbbb");
  equal(planRollout(snapshot, choices).next, "raft");
  match(stepIn(snapshot, "raft", choices).commands[0]!, /--accept-unrewritten/);
  const after = afterRaft(snapshot);
  equal(planRollout(after, choices).next, "rewrite");
  equal(ladder(after, choices), "ddrbdbbd");
});

function afterRaft(snapshot: RolloutSnapshot): RolloutSnapshot {
  return ["n1", "n2", "n3"].reduce(
    (all, name) =>
      withEncryption(all, name, { raftCutoverIndex: 130n, phase: 2 }),
    snapshot,
  );
}

Deno.test("planRollout() waits out a dwell, but for one that is accepted", () => {
  const rollout = { rewrite: JOB, dwellUntilMs: BigInt(NOW_MS + 60_000) };
  const snapshot = snapshotAt("rewritten", { rollout });
  const { state, detail } = stepIn(snapshot, "seal");
  equal(state, "blocked");
  equal(detail, "R02 lasts until 2026-11-26T08:01:00Z");
  const choices = choose({ accept: ["short-dwell"] });
  const accepted = stepIn(snapshot, "seal", choices);
  equal(accepted.state, "ready");
  deepEqual(accepted.commands, [
    "sealkv encryption seal-cleartext --confirm prod --accept-short-dwell",
  ]);
});

Deno.test("planRollout() tells how far a running step is", () => {
  const storage = stepIn(
    withEncryption(snapshotAt("stored"), "n3", { storageCutoverIndex: 0n }),
    "storage",
  );
  equal(storage.detail, "n3: yet to apply entry 100");
  deepEqual(
    storage.progress?.tasks.map(({ member, state }) => [member, state]),
    [["n1", "done"], ["n2", "done"], ["n3", "running"]],
  );
  const paused = stepIn(
    snapshotAt("rewriting", {
      rewrite: {
        job: { ...JOB, isPaused: true, bytesPerSecond: 8_388_608n },
        members: [taskOf("n1", { state: "paused" })],
      },
    }),
    "rewrite",
  );
  const { progress, detail, state } = paused;
  deepEqual([state, detail], ["running", "paused"]);
  deepEqual(
    [progress?.isPaused, progress?.bytesPerSecond, progress?.tasks.length],
    [true, 8_388_608n, 1],
  );
  equal(stepIn(snapshotAt("rewritten"), "rewrite").progress, null);
});

Deno.test("planRollout() says what a blocked step waits for", () => {
  equal(
    stepIn(snapshotAt("stored"), "raft").detail,
    "after: Dwell and rewrite",
  );
  equal(
    stepIn(away("capable"), "capability").detail,
    "G02 n3: does not answer",
  );
  const failed = FALLS.find(([what]) => what.includes("given up"))![1];
  equal(
    stepIn(failed, "raft").detail,
    "tried 2026-11-26T07:59:00Z by ana@laptop: NODE_CUTOVER_ABORTED",
  );
});

Deno.test("planRollout() has a silent member hold up no step that is taken", () => {
  equal(
    stepIn(away("scrubbed"), "raft").detail,
    "the log is sealed since entry 210; n3 silent",
  );
});

const COMMANDS: readonly (readonly [
  Rung,
  StepId,
  Partial<RolloutChoices>,
  readonly string[],
])[] = [
  ["plain", "capability", {}, [
    "sealkv kek generate --out sealkv.kek",
    "sealkv encryption status",
  ]],
  ["capable", "capability", {}, ["sealkv encryption status"]],
  ["capable", "storage", {}, [
    "sealkv encryption enable-storage-envelope --confirm prod",
  ]],
  ["stored", "rewrite", {}, ["sealkv encryption rewrite --follow"]],
  [
    "stored",
    "rewrite",
    { bytesPerSecond: 8_388_608, dwellUntilMs: NOW_MS + 3_600_000 },
    [
      "sealkv encryption dwell --until 2026-11-26T09:00:00Z",
      "sealkv encryption rewrite --rate 8MiB --follow",
    ],
  ],
  ["rewriting", "rewrite", {}, ["sealkv encryption rewrite --resume --follow"]],
  ["rewritten", "seal", {}, [
    "sealkv encryption seal-cleartext --confirm prod",
  ]],
  ["locked", "raft", { accept: ["short-dwell", "unrewritten"] }, [
    "sealkv encryption enable-raft-envelope --confirm prod --accept-short-dwell --accept-unrewritten",
  ]],
  ["sealed", "scrub", {}, [
    "sealkv encryption scrub",
    "sealkv encryption status --verify",
  ]],
  ["scrubbed", "rotate", {}, [
    "sealkv encryption rotate-dek --purpose storage",
    "sealkv encryption rotate-dek --purpose raft",
  ]],
  ["scrubbed", "retire", {}, ["sealkv encryption status"]],
  ["rotated", "retire", {}, [
    "sealkv encryption rewrite --resume --follow",
    "sealkv encryption retire-dek --key-id 11 --confirm prod",
    "sealkv encryption retire-dek --key-id 12 --confirm prod",
  ]],
];

for (const [rung, step, given, expected] of COMMANDS) {
  const what = `${step} of a cluster that is ${rung}`;
  Deno.test(`planRollout() has the commands of ${what}`, () => {
    deepEqual(stepIn(snapshotAt(rung), step, choose(given)).commands, expected);
  });
}

Deno.test("planRollout() quotes a name for the shell", () => {
  const snapshot = snapshotAt("capable");
  const status = { ...snapshot.status, cluster: "it's prod" };
  deepEqual(stepIn({ ...snapshot, status }, "storage").commands, [
    `sealkv encryption enable-storage-envelope --confirm 'it'\\''s prod'`,
  ]);
});

Deno.test("planRollout() has a cluster of one that has no members yet", () => {
  const snapshot = snapshotAt("capable");
  const [first] = snapshot.members;
  const plan = planRollout({
    ...snapshot,
    status: { ...snapshot.status, members: [], leader: "", cluster: "" },
    members: [first!],
    capabilities: null,
  }, NO_CHOICES);
  equal(plan.next, "capability");
  ok(
    plan.steps.every(({ checks }) =>
      checks.every(({ evidence }) => evidence.length > 0)
    ),
  );
});
