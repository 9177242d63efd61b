/*
 * Goal: every check has every verdict that it can have, by what it is told.
 * Method: a table of snapshots; the member and the words that decide.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { MemberVitals, Vitals } from "../../../src/admin/client.ts";
import { AdminNoLeaderError } from "../../../src/admin/errors.ts";
import type { CheckId, Verdict } from "../../../src/rollout/check.ts";
import {
  NO_CHOICES,
  type RolloutChoices,
  type RolloutSnapshot,
} from "../../../src/rollout/snapshot.ts";
import { STEP_IDS, type StepId } from "../../../src/rollout/step.ts";
import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import {
  checkIn,
  encryptionAt,
  JOB,
  KEK,
  NOW_MS,
  type Rung,
  snapshotAt,
  taskOf,
  vitalsOf,
  withEncryption,
  withMember,
} from "./snapshots.ts";

const ACCEPT_ALL: RolloutChoices = {
  ...NO_CHOICES,
  accept: ["short-dwell", "unrewritten"],
};

function leaderless(rung: Rung): RolloutSnapshot {
  const snapshot = snapshotAt(rung);
  return { ...snapshot, status: { ...snapshot.status, leader: "" } };
}

function found(
  code: string,
  given: Partial<RolloutSnapshot> = {},
): RolloutSnapshot {
  const capabilities = ["n1", "n2", "n3"].map((member) =>
    member === "n3"
      ? { member, code, message: `n3 is ${code}`, remedy: "mend it" }
      : { member, code: "", message: "", remedy: "" }
  );
  return snapshotAt("capable", { capabilities, ...given });
}

function withVitals(given: Partial<Vitals> | null): RolloutSnapshot {
  const vitals = ["n1", "n2", "n3"].map((name): MemberVitals => {
    const one = vitalsOf(name);
    if (name !== "n2") return one;
    if (given === null || one.vitals === null) {
      return { member: name, vitals: null, failure: new AdminNoLeaderError(1) };
    }
    return { ...one, vitals: { ...one.vitals, ...given } };
  });
  return snapshotAt("locked", { vitals });
}

const HOUR_MS = 3_600_000n;

/** A cluster whose members gave backups: whose, how long ago, and of when. */
function withBackups(
  ...given: readonly (readonly [name: string, ageMs: bigint, index?: bigint])[]
): RolloutSnapshot {
  const vitals = ["n1", "n2", "n3"].map((name): MemberVitals => {
    const backups = given.filter(([member]) => member === name)
      .map(([, ageMs, index = 900n]) => ({ ageMs, index }));
    const one = vitalsOf(name);
    return one.vitals === null
      ? one
      : { ...one, vitals: { ...one.vitals, backups } };
  });
  return snapshotAt("sealed", { vitals });
}

const slow = (bound: number) =>
  withVitals({
    recentLatency: [
      { bound: 0.01, count: 10n },
      { bound, count: 1_000n },
      { bound: Infinity, count: 1_000n },
    ],
  });

const dwelling = (dwellUntilMs: number) =>
  snapshotAt("rewritten", {
    rollout: { rewrite: JOB, dwellUntilMs: BigInt(dwellUntilMs) },
  });

const rehearsed = (rehearsal: Partial<RolloutSnapshot["rehearsal"]>) =>
  snapshotAt("capable", {
    rehearsal: {
      step: "storage",
      command: "sealkv encryption enable-storage-envelope --confirm prod",
      outcome: null,
      refusal: null,
      ...rehearsal,
    },
  });

interface Row {
  readonly of: readonly [StepId, CheckId];
  readonly verdict: Verdict;
  readonly when: string;
  readonly snapshot: RolloutSnapshot;
  /** Of the first evidence of that verdict: member, and words. */
  readonly says: readonly [string, RegExp];
  readonly choices?: RolloutChoices;
}

const ROWS: readonly Row[] = [
  {
    ...{ of: ["storage", "G01"], verdict: "pass", when: "all are young" },
    ...{ snapshot: snapshotAt("capable"), says: ["", /n2 leads in term 7/] },
  },
  {
    ...{ of: ["storage", "G01"], verdict: "fail", when: "none leads" },
    ...{ snapshot: leaderless("capable"), says: ["", /nobody leads/] },
  },
  {
    ...{ of: ["raft", "G01"], verdict: "warn", when: "one just began to" },
    snapshot: withVitals({ uptimeMs: 119_999n, leaderMs: 59_999n }),
    says: ["", /n2 leads in term 7, and n2 saw it begin in the last minute/],
  },
  {
    ...{ of: ["raft", "G01"], verdict: "pass", when: "a minute is over" },
    snapshot: withVitals({ uptimeMs: 200_000n, leaderMs: 60_000n }),
    says: ["", /n2 leads in term 7$/],
  },
  {
    ...{ of: ["raft", "G01"], verdict: "pass", when: "one knows no leader" },
    snapshot: withVitals({ uptimeMs: 200_000n, leaderMs: 0n }),
    says: ["", /n2 leads in term 7$/],
  },
  {
    ...{ of: ["seal", "G02"], verdict: "pass", when: "all answer" },
    ...{ snapshot: snapshotAt("rewritten"), says: ["n1", /answers/] },
  },
  {
    ...{ of: ["seal", "G02"], verdict: "fail", when: "one is down" },
    snapshot: withMember(snapshotAt("rewritten"), "n3", { up: false }),
    says: ["n3", /^does not answer$/],
  },
  {
    ...{ of: ["seal", "G02"], verdict: "fail", when: "one is not reached" },
    snapshot: withEncryption(snapshotAt("rewritten"), "n1", null),
    says: ["n1", /^its admin address does not answer$/],
  },
  {
    ...{ of: ["rewrite", "G02"], verdict: "warn", when: "one is down" },
    snapshot: withMember(snapshotAt("stored"), "n3", { up: false }),
    says: ["n3", /does not answer/],
  },
  {
    ...{ of: ["storage", "G03"], verdict: "pass", when: "a learner is near" },
    snapshot: withMember(snapshotAt("capable"), "n1", {
      isVoter: false,
      lag: 1_000n,
    }),
    says: ["n1", /has caught up/],
  },
  {
    ...{ of: ["storage", "G03"], verdict: "warn", when: "a learner is far" },
    snapshot: withMember(snapshotAt("capable"), "n1", {
      isVoter: false,
      lag: 1_001n,
    }),
    says: ["n1", /1001 entries behind/],
  },
  {
    ...{ of: ["storage", "G04"], verdict: "pass", when: "all are new" },
    ...{ snapshot: snapshotAt("capable"), says: ["n1", /knows/] },
  },
  {
    ...{ of: ["storage", "G04"], verdict: "fail", when: "one is old" },
    ...{ snapshot: found("old-version"), says: ["n3", /n3 is old-version/] },
  },
  {
    ...{ of: ["storage", "G04"], verdict: "fail", when: "one is silent" },
    ...{ snapshot: found("unreachable"), says: ["n3", /not known/] },
  },
  {
    ...{ of: ["storage", "G04"], verdict: "fail", when: "nobody could ask" },
    snapshot: snapshotAt("capable", { capabilities: null }),
    says: ["", /no leader could ask/],
  },
  {
    ...{ of: ["storage", "G04"], verdict: "fail", when: "one is new" },
    snapshot: snapshotAt("capable", { capabilities: [] }),
    says: ["n1", /was not asked yet/],
  },
  {
    ...{ of: ["raft", "G05"], verdict: "pass", when: "lag is at the limit" },
    snapshot: withMember(snapshotAt("locked"), "n1", { lag: 1_000n }),
    says: ["n1", /1000 entries behind/],
  },
  {
    ...{ of: ["raft", "G05"], verdict: "warn", when: "lag is above it" },
    snapshot: withMember(snapshotAt("locked"), "n1", { lag: 1_001n }),
    says: ["n1", /1001 entries behind, limit 1000/],
  },
  {
    ...{ of: ["raft", "G05"], verdict: "warn", when: "a copy is sent" },
    snapshot: withMember(snapshotAt("locked"), "n1", {
      replication: "snapshot",
    }),
    says: ["n1", /a copy of the store/],
  },
  {
    ...{ of: ["raft", "G06"], verdict: "pass", when: "all voters are up" },
    ...{ snapshot: snapshotAt("locked"), says: ["", /3 of 3/] },
  },
  {
    ...{ of: ["raft", "G06"], verdict: "warn", when: "one of three is down" },
    snapshot: withMember(snapshotAt("locked"), "n1", { up: false }),
    says: ["", /2 of 3 voters up, 2 needed/],
  },
  {
    ...{ of: ["raft", "G06"], verdict: "pass", when: "there are two voters" },
    snapshot: withMember(snapshotAt("locked"), "n1", { isVoter: false }),
    says: ["", /2 of 2/],
  },
  {
    ...{ of: ["raft", "G07"], verdict: "pass", when: "30 % are free" },
    snapshot: withVitals({
      diskFreeBytes: 30n,
      diskTotalBytes: 100n,
      storeBytes: 15n,
    }),
    says: ["n1", /60 % free/],
  },
  {
    ...{ of: ["raft", "G07"], verdict: "warn", when: "29 % are free" },
    snapshot: withVitals({ diskFreeBytes: 299n, diskTotalBytes: 1_000n }),
    says: ["n2", /29 % free.*wanted 30 %/],
  },
  {
    ...{ of: ["raft", "G07"], verdict: "pass", when: "two stores have room" },
    snapshot: withVitals({
      ...{ diskFreeBytes: 60n, diskTotalBytes: 100n, storeBytes: 30n },
    }),
    says: ["n1", /60 % free/],
  },
  {
    ...{ of: ["raft", "G07"], verdict: "warn", when: "two stores have none" },
    snapshot: withVitals({
      ...{ diskFreeBytes: 60n, diskTotalBytes: 100n, storeBytes: 31n },
    }),
    says: ["n2", /60 % free.*wanted 2 times its store/],
  },
  {
    ...{ of: ["raft", "G07"], verdict: "warn", when: "the disk is hidden" },
    snapshot: withVitals({ diskFreeBytes: 0n, diskTotalBytes: 0n }),
    says: ["n2", /does not tell how full/],
  },
  {
    ...{ of: ["raft", "G07"], verdict: "warn", when: "one tells nothing" },
    ...{ snapshot: withVitals(null), says: ["n2", /does not tell/] },
  },
  {
    ...{ of: ["retire", "G08"], verdict: "warn", when: "none is known" },
    ...{ snapshot: withBackups(), says: ["", /no member knows of one/] },
  },
  {
    ...{ of: ["retire", "G08"], verdict: "pass", when: "one is a day old" },
    snapshot: withBackups(["n2", 24n * HOUR_MS], ["n3", 30n * HOUR_MS]),
    says: ["", /n2 gave one 24 h ago/],
  },
  {
    ...{ of: ["retire", "G08"], verdict: "warn", when: "the last is older" },
    snapshot: withBackups(["n2", 72n * HOUR_MS], ["n3", 24n * HOUR_MS + 1n]),
    says: ["", /of n3, 24 h ago, wanted one of/],
  },
  {
    ...{ of: ["scrub", "G09"], verdict: "pass", when: "it is the change" },
    snapshot: snapshotAt("sealed", {
      underWay: { action: "scrub", members: [] },
    }),
    says: ["", /no other/],
  },
  {
    ...{ of: ["scrub", "G09"], verdict: "fail", when: "another is" },
    snapshot: snapshotAt("sealed", {
      underWay: { action: "retire-dek", members: [] },
    }),
    says: ["", /retire-dek is under way/],
  },
  {
    ...{ of: ["rotate", "G09"], verdict: "warn", when: "a long one is" },
    snapshot: snapshotAt("sealed", {
      underWay: { action: "scrub", members: [] },
    }),
    says: ["", /scrub is under way/],
  },
  {
    ...{ of: ["storage", "G10"], verdict: "pass", when: "p99 is the limit" },
    ...{ snapshot: slow(0.25), says: ["n1", /within 100 ms/] },
  },
  {
    ...{ of: ["storage", "G10"], verdict: "warn", when: "p99 is above it" },
    ...{ snapshot: slow(0.5), says: ["n2", /within 500 ms, wanted 250 ms/] },
  },
  {
    ...{ of: ["storage", "G10"], verdict: "pass", when: "nothing was asked" },
    snapshot: withVitals({ recentLatency: [] }),
    says: ["n1", /requests/],
  },
  {
    ...{ of: ["storage", "K01"], verdict: "pass", when: "all have it" },
    ...{ snapshot: snapshotAt("capable"), says: ["n1", /file:3f2a/] },
  },
  {
    ...{ of: ["storage", "K01"], verdict: "fail", when: "one has none" },
    snapshot: withEncryption(snapshotAt("capable"), "n3", {
      own: encryptionAt("n3", "plain").own,
    }),
    says: ["n3", /has no KEK, want file:3f2a/],
  },
  {
    ...{ of: ["storage", "K01"], verdict: "warn", when: "one has another" },
    snapshot: withEncryption(snapshotAt("capable"), "n3", {
      own: {
        ...encryptionAt("n3", "capable").own,
        kekIds: ["file:0000", KEK],
      },
    }),
    says: ["n3", /file:0000, the leader has file:3f2a/],
  },
  {
    ...{ of: ["storage", "K01"], verdict: "warn", when: "one is silent" },
    snapshot: withEncryption(snapshotAt("capable"), "n3", null),
    says: ["n3", /not known/],
  },
  {
    ...{ of: ["storage", "K02"], verdict: "pass", when: "all prove it" },
    ...{ snapshot: snapshotAt("capable"), says: ["n1", /opens/] },
  },
  {
    ...{ of: ["storage", "K02"], verdict: "fail", when: "one does not" },
    ...{ snapshot: found("kek-unproven"), says: ["n3", /kek-unproven/] },
  },
  {
    ...{ of: ["storage", "K02"], verdict: "fail", when: "one is silent" },
    ...{ snapshot: found("unreachable"), says: ["n3", /unreachable/] },
  },
  {
    ...{ of: ["rotate", "K02"], verdict: "warn", when: "one is silent" },
    ...{ snapshot: found("unreachable"), says: ["n3", /unreachable/] },
  },
  {
    ...{ of: ["rotate", "K02"], verdict: "fail", when: "one does not" },
    ...{ snapshot: found("kek-unproven"), says: ["n3", /kek-unproven/] },
  },
  {
    ...{ of: ["capability", "K03"], verdict: "pass", when: "nothing lacks" },
    ...{ snapshot: snapshotAt("capable"), says: ["n1", /has all/] },
  },
  {
    ...{ of: ["capability", "K03"], verdict: "fail", when: "the flag lacks" },
    ...{ snapshot: snapshotAt("plain"), says: ["n1", /^encryption is off/] },
  },
  {
    ...{ of: ["capability", "K03"], verdict: "fail", when: "a KEK is open" },
    snapshot: withEncryption(snapshotAt("capable"), "n2", {
      own: {
        ...encryptionAt("n2", "capable").own,
        gaps: ["no KEK of this node works (Cannot read: mode is 0644): chmod"],
      },
    }),
    says: ["n2", /^no KEK of this node works \(Cannot read: mode is 0644\)$/],
  },
  {
    ...{ of: ["rewrite", "S01"], verdict: "pass", when: "all are past it" },
    ...{ snapshot: snapshotAt("stored"), says: ["n1", /since entry 100/] },
  },
  {
    ...{ of: ["rewrite", "S01"], verdict: "fail", when: "it is not taken" },
    ...{ snapshot: snapshotAt("capable"), says: ["", /not taken/] },
  },
  {
    ...{ of: ["rewrite", "S01"], verdict: "fail", when: "one is not there" },
    snapshot: withEncryption(snapshotAt("stored"), "n3", {
      applied: 99n,
      storageCutoverIndex: 0n,
    }),
    says: ["n3", /has applied 99, and not yet entry 100/],
  },
  {
    ...{ of: ["scrub", "S01"], verdict: "fail", when: "the log is not" },
    ...{ snapshot: snapshotAt("locked"), says: ["", /not taken/] },
  },
  {
    ...{ of: ["seal", "R01"], verdict: "pass", when: "all are done" },
    ...{ snapshot: snapshotAt("rewritten"), says: ["n1", /70 records done/] },
  },
  {
    ...{ of: ["seal", "R01"], verdict: "fail", when: "none was started" },
    ...{ snapshot: snapshotAt("stored"), says: ["", /no rewrite/] },
  },
  {
    ...{ of: ["seal", "R01"], verdict: "fail", when: "one is at it" },
    snapshot: snapshotAt("rewritten", {
      rewrite: {
        job: JOB,
        members: [
          taskOf("n1"),
          taskOf("n2", { state: "running", done: 3n, total: 9n }),
        ],
      },
    }),
    says: ["n2", /running, 3 of 9 records/],
  },
  {
    ...{ of: ["seal", "R01"], verdict: "fail", when: "nobody can say" },
    snapshot: snapshotAt("rewritten", { rewrite: null }),
    says: ["", /only a leader can say/],
  },
  {
    ...{ of: ["seal", "R01"], verdict: "pass", when: "it is locked anyway" },
    snapshot: snapshotAt("locked", {
      rollout: { rewrite: null, dwellUntilMs: 0n },
      rewrite: null,
    }),
    says: ["", /locked out/],
  },
  {
    ...{ of: ["raft", "R01"], verdict: "pass", when: "it is locked" },
    ...{ snapshot: snapshotAt("locked"), says: ["", /since entry 200/] },
  },
  {
    ...{ of: ["raft", "R01"], verdict: "fail", when: "it is not" },
    ...{ snapshot: snapshotAt("rewritten"), says: ["", /may be left/] },
  },
  {
    ...{ of: ["raft", "R01"], verdict: "warn", when: "that is accepted" },
    ...{ snapshot: snapshotAt("rewritten"), says: ["", /accepted/] },
    choices: ACCEPT_ALL,
  },
  {
    ...{ of: ["seal", "R02"], verdict: "pass", when: "there is none" },
    ...{ snapshot: dwelling(0), says: ["", /no dwell/] },
  },
  {
    ...{ of: ["seal", "R02"], verdict: "pass", when: "it ends now" },
    ...{ snapshot: dwelling(NOW_MS), says: ["", /over since/] },
  },
  {
    ...{ of: ["seal", "R02"], verdict: "fail", when: "it ends in a moment" },
    ...{ snapshot: dwelling(NOW_MS + 1), says: ["", /lasts until/] },
  },
  {
    ...{ of: ["seal", "R02"], verdict: "warn", when: "that is accepted" },
    ...{ snapshot: dwelling(NOW_MS + 1), says: ["", /accepted/] },
    choices: ACCEPT_ALL,
  },
  {
    ...{ of: ["seal", "R02"], verdict: "fail", when: "nobody can say" },
    snapshot: snapshotAt("rewritten", { rollout: null }),
    says: ["", /nobody says/],
  },
  {
    ...{ of: ["raft", "R03"], verdict: "pass", when: "the leader is fast" },
    ...{ snapshot: slow(2), says: ["", /2 s at the leader/] },
  },
  {
    ...{ of: ["raft", "R03"], verdict: "warn", when: "the leader is slow" },
    ...{ snapshot: slow(5), says: ["", /requests take 5 s/] },
  },
  {
    ...{ of: ["raft", "R03"], verdict: "pass", when: "nothing is known" },
    ...{ snapshot: withVitals(null), says: ["", /about one commit/] },
  },
  {
    ...{ of: ["scrub", "V01"], verdict: "pass", when: "it is locked" },
    ...{ snapshot: snapshotAt("sealed"), says: ["", /since entry 200/] },
  },
  {
    ...{ of: ["scrub", "V01"], verdict: "fail", when: "it is not" },
    ...{ snapshot: snapshotAt("rewritten"), says: ["", /nothing says/] },
  },
  {
    ...{ of: ["scrub", "V02"], verdict: "warn", when: "none is known" },
    ...{ snapshot: withBackups(), says: ["", /^backups made before/] },
  },
  {
    ...{ of: ["scrub", "V02"], verdict: "warn", when: "one is of after" },
    snapshot: withBackups(["n2", HOUR_MS, 200n]),
    says: ["", /^backups made before/],
  },
  {
    ...{ of: ["scrub", "V02"], verdict: "warn", when: "two are of before" },
    snapshot: withBackups(["n2", 49n * HOUR_MS, 199n], ["n1", 1n, 900n], [
      ...["n3", 100n * HOUR_MS, 3n] as const,
    ]),
    says: ["", /^members gave 2 before .*, the last 2 days ago/],
  },
  {
    ...{ of: ["retire", "T01"], verdict: "pass", when: "all is rewritten" },
    ...{ snapshot: snapshotAt("rotated"), says: ["", /storage key 11/] },
  },
  {
    ...{ of: ["retire", "T01"], verdict: "warn", when: "it is not" },
    snapshot: snapshotAt("rotated", {
      rewrite: { job: JOB, members: [taskOf("n1", { state: "running" })] },
    }),
    says: ["", /storage key 11.*under it still/],
  },
  {
    ...{ of: ["retire", "T01"], verdict: "pass", when: "no key is replaced" },
    ...{ snapshot: snapshotAt("scrubbed"), says: ["", /no key/] },
  },
  {
    ...{ of: ["storage", "P01"], verdict: "pass", when: "it would" },
    snapshot: rehearsed({
      outcome: {
        plan: { hash: "0123456789abcdef", steps: ["do it"] },
        ...{ changed: false, index: 0n, unreachable: [] },
      },
    }),
    says: ["", /plan 0123456789abcdef/],
  },
  {
    ...{ of: ["storage", "P01"], verdict: "fail", when: "it refuses" },
    snapshot: rehearsed({ refusal: new AdminNoLeaderError(1) }),
    says: ["", /no leader was found/],
  },
];

for (const row of ROWS) {
  const { of, verdict, when, snapshot, says, choices = NO_CHOICES } = row;
  const [step, id] = of;
  Deno.test(`${id} of ${step} is ${verdict} when ${when}`, () => {
    const check = checkIn(snapshot, [step, id], choices);
    equal(check.verdict, verdict);
    const first = check.evidence.find((one) => one.verdict === verdict)!;
    equal(first.member, says[0]);
    match(first.text, says[1]);
    for (const { verdict, remedy } of check.evidence) {
      equal(remedy === "", verdict === "pass", remedy);
    }
  });
}

Deno.test("every check of every step is in the table", () => {
  const rows = new Set(ROWS.map(({ of: [, id] }) => id));
  const { steps } = planRollout(rehearsed({}), NO_CHOICES);
  const asked = new Set(
    steps.flatMap(({ checks }) => checks.map(({ id }) => id)),
  );
  deepEqual([...rows].sort(), [...asked].sort());
});

Deno.test("docs/rollout_checks.md has every check, and the wizard's own", async () => {
  const page = new URL("../../../docs/rollout_checks.md", import.meta.url);
  const text = await Deno.readTextFile(page);
  const ids = [...text.matchAll(/^\| ([A-Z]\d\d) /gm)].map(([, id]) => id);
  const { steps } = planRollout(rehearsed({}), NO_CHOICES);
  const asked = new Set(
    steps.flatMap(({ checks }) => checks.map(({ id }) => id)),
  );
  deepEqual(ids.toSorted(), [...asked, "K05"].sort());
});

Deno.test("titles of checks and steps fit their columns", () => {
  const { steps } = planRollout(rehearsed({}), NO_CHOICES);
  deepEqual(steps.map(({ id }) => id), STEP_IDS);
  for (const { title, checks } of steps) {
    ok(title.length <= 18, title);
    for (const check of checks) ok(check.title.length <= 24, check.title);
  }
});

Deno.test("a member without a KEK is sent to the one that the others have", () => {
  const snapshot = withEncryption(snapshotAt("capable"), "n3", {
    own: encryptionAt("n3", "plain").own,
  });
  const remedies = ["K03", "K01"].map((id) => {
    const { evidence } = checkIn(snapshot, ["capability", id as CheckId]);
    const failed = evidence.filter(({ verdict }) => verdict === "fail");
    equal(failed.length, 1, id);
    return failed[0]?.remedy;
  });
  equal(remedies[0], remedies[1], "one cause, one remedy");
  match(remedies[0] ?? "", /copy of the KEK that the others have \(file:3f2a/);
});

Deno.test("a gap of a member is split into what lacks and what to do", () => {
  const check = checkIn(snapshotAt("plain"), ["capability", "K03"]);
  deepEqual(check.evidence[0], {
    member: "n1",
    verdict: "fail",
    text: "encryption is off on this node",
    remedy: "Start it with --encryption-enabled and --kek",
  });
});
