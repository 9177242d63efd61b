/*
 * Goal: the whole rollout by keys alone, from cleartext to phase 2, a rotation
 * and the end of old keys; what is typed wrong starts nothing; the screens are
 * those that were reviewed.
 * Method: the real command in a tmux of its own, three real nodes with records
 * of before; frames compared with those in tests/tui/frames/rollout. What came
 * of it is asked by commands.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  CLUSTER_NAME,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  REWRITE,
  SCRUB,
  SEAL_CLEARTEXT,
} from "../../e2e/rollout.ts";
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
/** The same, by commands. */
const TO_PHASE_2 = [
  ENABLE_STORAGE,
  REWRITE,
  SEAL_CLEARTEXT,
  ENABLE_RAFT,
  SCRUB,
];

Deno.test({
  name: "the whole rollout by keys alone",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, rollout, open }) => {
      await fill(cluster.url("n1"));
      await using terminal = await open();
      const wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      await assertFrame(terminal, "rollout/overview");
      for (const step of LADDER) {
        await wizard.plan(step);
        await assertFrame(terminal, `rollout/${step}_plan`);
        await wizard.start(step);
        await wizard.stepIsDone(step);
        // The next look tells who else has applied it.
        await terminal.hides("not yet on");
        await assertFrame(terminal, `rollout/${step}_done`);
      }
      await rollout.isOver();
      equal(await wizard.leave(), 0);
      await terminal.assertRestored();
    }),
});

Deno.test({
  name: "keys are rotated, values moved over and old keys retired",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, rollout, open }) => {
      await fill(cluster.url("n1"));
      for (const step of TO_PHASE_2) await rollout.take(step);
      const before = await rollout.activeKeys();
      await using terminal = await open();
      const wizard = await Wizard.open(terminal);
      for (const step of LADDER) await wizard.stepIsDone(step);
      await wizard.select("rotate");
      await wizard.plan("rotate");
      await assertFrame(terminal, "rollout/rotate_plan");
      await wizard.start("rotate");
      await wizard.shows("Rotate data keys: committed");
      const after = await rollout.activeKeys();
      ok(after.storage !== before.storage && after.raft !== before.raft);
      deepEqual(
        new Set(await rollout.replacedKeys()),
        new Set([before.storage, before.raft]),
      );
      // A rewrite in force moves over what the old storage key sealed.
      await wizard.stepIsDone("rewrite");
      await wizard.select("retire");
      await wizard.plan("retire");
      await wizard.start("retire");
      await wizard.shows("Retire old keys: committed");
      deepEqual(await rollout.replacedKeys(), []);
      equal(await wizard.leave(), 0);
    }),
});

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
