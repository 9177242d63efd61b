import assert from "node:assert/strict";
import { printPlan } from "../../../../src/cli/rollout/plan.ts";
import { planJson, planScreen } from "../../../../src/cli/rollout/plan_view.ts";
import { planRollout } from "../../../../src/rollout/plan_rollout.ts";
import { NO_CHOICES } from "../../../../src/rollout/snapshot.ts";
import { fakeCluster } from "../../rollout/fake_client.ts";
import {
  encryptionAt,
  NOW_MS,
  type Rung,
  snapshotAt,
  withEncryption,
} from "../../rollout/snapshots.ts";
import { fakeServices, recordingOutput } from "../fake_services.ts";

const RUNGS: readonly Rung[] = [
  ...["plain", "capable", "stored", "rewriting", "rewritten"] as const,
  ...["locked", "sealed", "scrubbed", "rotated"] as const,
];

function planAt(rung: Rung) {
  return planRollout(snapshotAt(rung), NO_CHOICES);
}

Deno.test("rollout --plan shows the ladder, the next step and all commands", () => {
  const screen = planScreen(planAt("capable"), false);
  assert.equal(
    screen,
    `prod   phase 0 (capable)   leader n2, term 7   2026-11-26T08:00:00Z

   [x]  1  Key on every node      done     3 of 3 members have proven it
>  [ ]  2  Storage cutover    1W  ready    nothing blocks it, 1 warning
   [!]  3  Dwell and rewrite      blocked  after: Storage cutover
   [!]  4  Seal cleartext     1W  blocked  after: Storage cutover
   [!]  5  Raft cutover       1W  blocked  after: Storage cutover
   [!]  6  Scrub and verify       blocked  after: Storage cutover
   [!]  7  Rotate data keys       blocked  after: Storage cutover
   [!]  8  Retire old keys    1W  blocked  after: Storage cutover
1W: one way, it is never taken back

next: Storage cutover
  The first data keys are drawn, and from one entry on every member seals each
    value that is written to its store. Older values stay as they are until the
    rewrite.
  Undo: Not at all: from then on the cluster needs its KEK for life. The way
    back is to copy the data into a new cluster.
  Users notice: Nothing: reads take both forms, and no write waits.

[w] G08 A backup exists: warn
      no member knows of one: have one before this step
      fix: Make one: \`sealkv backup create --out FILE\`
[x] G01 G02 G03 G04 G05 G06 G07 G09 G10 K01 K02 K03 pass

  $ sealkv encryption enable-storage-envelope --confirm prod

after it:
  $ sealkv encryption rewrite --follow
  $ sealkv encryption seal-cleartext --confirm prod
  $ sealkv encryption enable-raft-envelope --confirm prod
  $ sealkv encryption scrub
  $ sealkv encryption status --verify
  $ sealkv encryption rotate-dek --purpose storage
  $ sealkv encryption rotate-dek --purpose raft
  $ sealkv encryption status
`,
  );
});

Deno.test("rollout --plan says who lacks what, once for all who do", () => {
  const own = encryptionAt("n3", "plain").own;
  const snapshot = ["n2", "n3"].reduce(
    (all, name) => withEncryption(all, name, { own }),
    snapshotAt("capable"),
  );
  const screen = planScreen(planRollout(snapshot, NO_CHOICES), false);
  assert.match(
    screen,
    /\[!\] K03 KEK and sidecar usable: FAIL\n {6}n2, n3: encryption is off on this node\n {6}fix: Restart it with --encryption-enabled --kek file:PATH, a copy of the\n/,
  );
});

for (const rung of RUNGS) {
  Deno.test(`rollout --plan of a cluster that is ${rung} fits 80 columns`, () => {
    const screen = planScreen(planAt(rung), false);
    for (const line of screen.split("\n")) assert.ok(line.length <= 80, line);
    const colored = planScreen(planAt(rung), true);
    // deno-lint-ignore no-control-regex
    assert.equal(colored.replaceAll(/\x1b\[\d+m/g, ""), screen);
  });
}

Deno.test("rollout --plan at the end shows what recurs", () => {
  const screen = planScreen(planAt("rotated"), false);
  assert.match(screen, /\nnothing is left to do; the last two steps recur\n/);
  assert.match(screen, /\nfrom time to time:\n {2}\$ sealkv encryption rotate/);
});

Deno.test("rollout --plan --json has names that scripts rely on", () => {
  const { steps, ...rest } = JSON.parse(planJson(planAt("rewriting")));
  assert.deepEqual(rest, {
    cluster: "prod",
    leader: "n2",
    term: "7",
    phase: 1,
    at: "2026-11-26T08:00:00Z",
    next: "rewrite",
  });
  const [, , rewrite] = steps;
  const { checks, progress, does, undo, noticed, ...step } = rewrite;
  assert.deepEqual(step, {
    id: "rewrite",
    title: "Dwell and rewrite",
    oneWay: false,
    state: "running",
    detail: "0 of 3 members done",
    commands: ["sealkv encryption rewrite --resume --follow"],
  });
  for (const text of [does, undo, noticed]) assert.match(text, /\.$/);
  assert.deepEqual(checks[0], {
    id: "G01",
    title: "One leader",
    verdict: "pass",
    evidence: [{
      member: "",
      verdict: "pass",
      text: "n2 leads in term 7",
      remedy: "",
    }],
  });
  const { paused, bytesPerSecond, members } = progress;
  assert.deepEqual([paused, bytesPerSecond, members.length], [false, "0", 3]);
  assert.equal(members[0].done, "70");
});

Deno.test("printPlan() asks the cluster, and changes nothing", async () => {
  const out = recordingOutput(false);
  const services = fakeServices({}, out);
  const { client, calls } = fakeCluster(() => snapshotAt("capable"));
  const options = { choices: NO_CHOICES, isJson: true };
  const clock = { ...services.clock, wallMs: () => NOW_MS };
  await printPlan({ ...services, clock }, client, options);
  const { next, steps } = JSON.parse(out.text());
  assert.equal(next, "storage");
  assert.equal(steps[1].checks.at(-1).id, "P01");
  assert.ok(calls.includes("capabilities") && calls.includes("storage"));
});
