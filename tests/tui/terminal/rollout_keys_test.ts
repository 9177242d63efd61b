/*
 * Goal: the whole rollout by keys alone, from cleartext to phase 2, a rotation
 * and the end of old keys; what is typed wrong starts nothing; the screens are
 * those that were reviewed.
 * Method: the real command in a tmux of its own, three real nodes with records
 * of before; frames compared with those in tests/tui/frames/rollout. What came
 * of it is asked by commands; `sh` runs the transcript on three others.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { sealkvCommand } from "../../e2e/node_process.ts";
import { CLUSTER_NAME, type Rollout } from "../../e2e/rollout.ts";
import { type RunEnd, runIn } from "../../e2e/rollout_run.ts";
import { assertFrame } from "./frames.ts";
import { CAN_WATCH, fill, withWatchedCluster } from "./watched_cluster.ts";
import { type StepName, Wizard } from "./wizard.ts";

const LADDER: readonly StepName[] = [
  "storage",
  "rewrite",
  "seal",
  "raft",
  "scrub",
];
/** Where the shell is, unless another file is given. */
const TRANSCRIPT = `sealkv-rollout-${CLUSTER_NAME}.sh`;

Deno.test({
  name: "the whole rollout by keys alone, whose transcript does the same",
  ignore: !CAN_WATCH,
  fn: async () => {
    let script = "";
    await withWatchedCluster({}, async ({ cluster, rollout, open }) => {
      await fill(cluster.url("n1"));
      await using terminal = await open();
      const wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      await assertFrame(terminal, "rollout/overview");
      await climb(wizard);
      await rollout.isOver();
      await renewKeys(wizard, rollout);
      await terminal.press("q");
      await terminal.shows("All steps are done");
      await assertFrame(terminal, "rollout/report");
      equal(await terminal.exitCode(), 0);
      await terminal.assertRestored();
      script = await Deno.readTextFile(`${terminal.home}/${TRANSCRIPT}`);
    });
    await withWatchedCluster({}, async ({ cluster, rollout }) => {
      await fill(cluster.url("n1"));
      const { code, out, err } = await replay(rollout, script);
      equal(code, 0, `${script}\n${out}\n${err}`);
      await rollout.isOver();
      deepEqual(await rollout.replacedKeys(), []);
      equal((await rollout.status()).retired.length, 2);
    });
  },
});

async function climb(wizard: Wizard): Promise<void> {
  const { terminal } = wizard;
  for (const step of LADDER) {
    await wizard.plan(step);
    await assertFrame(terminal, `rollout/${step}_plan`);
    await wizard.start(step);
    await wizard.stepIsDone(step);
    // The next look tells who else has applied it.
    await terminal.hides("not yet on");
    await assertFrame(terminal, `rollout/${step}_done`);
  }
}

/** Draws others, moves values over to them, and retires the old ones. */
async function renewKeys(wizard: Wizard, rollout: Rollout): Promise<void> {
  const before = await rollout.activeKeys();
  await wizard.select("rotate");
  await wizard.plan("rotate");
  await assertFrame(wizard.terminal, "rollout/rotate_plan");
  await wizard.terminal.press("Escape");
  await wizard.shows("Enter plan");
  await wizard.repeat("rotate");
  const after = await rollout.activeKeys();
  ok(after.storage !== before.storage && after.raft !== before.raft);
  deepEqual(
    new Set(await rollout.replacedKeys()),
    new Set([before.storage, before.raft]),
  );
  // A rewrite in force moves over what the old storage key sealed.
  await wizard.stepIsDone("rewrite");
  await wizard.repeat("retire");
  deepEqual(await rollout.replacedKeys(), []);
}

async function replay(rollout: Rollout, script: string): Promise<RunEnd> {
  const path = await Deno.makeTempFile({ prefix: "sealkv-", suffix: ".sh" });
  try {
    await Deno.writeTextFile(path, script);
    const env = { SEALKV: sealkvCommand().join(" ") };
    return await runIn(rollout, ["sh", path], { env });
  } finally {
    await Deno.remove(path);
  }
}

Deno.test({
  name: "a wrong name, a paste and keys at once confirm nothing",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ rollout, open }) => {
      await using terminal = await open();
      const wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      await wizard.plan("storage");
      await terminal.press("Enter");
      await wizard.typeName("prod-eu-2");
      await assertFrame(terminal, "rollout/storage_typed");
      await terminal.press("Enter");
      await wizard.shows('"prod-eu-2" is not the name of this cluster');
      await assertFrame(terminal, "rollout/storage_wrong_name");
      // As a terminal pastes, which is ignored.
      await terminal.paste(CLUSTER_NAME, { isBracketed: true });
      // As one without: it fills the box, and its Enter starts nothing.
      await terminal.paste(`${CLUSTER_NAME}\r`, { isBracketed: false });
      await wizard.shows(`> ${CLUSTER_NAME}`);
      equal((await rollout.status()).phase, 0);
      // One after the other: at once they would be another key.
      await terminal.press("Escape");
      await wizard.shows("Enter confirm");
      await terminal.press("Escape");
      await wizard.shows("Enter plan");
      equal((await rollout.status()).storageCutoverIndex, "0");
      equal(await wizard.leave(), 0);
    }),
});
