/*
 * Goal: a wizard may be killed at any moment: the step goes on without it, and
 * another one goes on from there; two at once are no harm either.
 * Method: the real command in a tmux of its own, `kill -9` in each step; a
 * second one in another terminal.
 */
import { deepEqual, equal } from "node:assert/strict";
import { ENABLE_STORAGE } from "../../e2e/rollout.ts";
import { assertFrame } from "./frames.ts";
import type { Terminal } from "./terminal.ts";
import { CAN_WATCH, fill, withWatchedCluster } from "./watched_cluster.ts";
import { type StepName, Wizard } from "./wizard.ts";

const LADDER: readonly StepName[] = [
  "storage",
  "rewrite",
  "seal",
  "raft",
  "scrub",
];

/** `kill -9`, and a terminal that is usable again. */
async function kill(terminal: Terminal): Promise<void> {
  await terminal.signal("SIGKILL");
  await terminal.shows("Killed");
  await terminal.type("reset");
  await terminal.press("Enter");
  await terminal.hides("Killed");
  await terminal.prompts();
}

Deno.test({
  name: "a wizard that is killed in each step is taken up by the next one",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, rollout, open }) => {
      await fill(cluster.url("n1"));
      await using terminal = await open();
      let wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      for (const step of LADDER) {
        await wizard.plan(step);
        await wizard.start(step);
        // Whatever the screen shows by now: at once.
        await kill(terminal);
        wizard = await Wizard.open(terminal);
        await settled(wizard, step);
      }
      await rollout.isOver();
      await wizard.select("rotate");
      await wizard.plan("rotate");
      await wizard.start("rotate");
      await kill(terminal);
      wizard = await Wizard.open(terminal);
      // One key may be drawn, or both, or none.
      await wizard.markOf("rotate", ["x", " "]);
      await wizard.repeat("rotate");
      await wizard.stepIsDone("rewrite");
      await wizard.select("retire");
      await wizard.plan("retire");
      await wizard.start("retire");
      await kill(terminal);
      wizard = await Wizard.open(terminal);
      await wizard.markOf("retire", ["x", " "]);
      if ((await rollout.replacedKeys()).length > 0) {
        await wizard.repeat("retire");
      }
      deepEqual(await rollout.replacedKeys(), []);
      equal(await wizard.leave(), 0);
    }),
});

/** The step went on, or was never asked for: then it is taken now. */
async function settled(wizard: Wizard, step: StepName): Promise<void> {
  const mark = await wizard.markOf(step, ["x", " "]);
  if (mark === " ") await wizard.take(step);
}

Deno.test({
  name: "two wizards at once take one rollout",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, rollout, open }) => {
      await fill(cluster.url("n1"));
      await using here = await open();
      await using there = await open();
      const first = await Wizard.open(here);
      const second = await Wizard.open(there);
      const both = [first, second];
      await Promise.all(both.map((one) => one.stepIsDone("capability")));
      for (const step of LADDER) {
        // Both are asked to, at the same moment.
        await Promise.all(both.map((one) => one.plan(step)));
        await Promise.all(both.map((one) => one.startBesideOthers(step)));
        for (const terminal of [here, there]) {
          const screen = await terminal.screen();
          deepEqual(screen.match(/error\[[A-Z_]+\]/g), null, screen);
        }
      }
      await rollout.isOver();
      for (const wizard of both) equal(await wizard.leave(), 0);
    }),
});

Deno.test({
  name: "who types the name of a step that somebody else takes is told so",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ rollout, open }) => {
      await using terminal = await open();
      const wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      await wizard.plan("storage");
      await terminal.press("Enter");
      await wizard.typeName("prod");
      await rollout.take(ENABLE_STORAGE);
      await wizard.stepIsDone("storage");
      await assertFrame(terminal, "rollout/overtaken");
      // On the overview they would open the dwell, and more.
      await terminal.type("-eu-1drp");
      await terminal.press("Enter");
      await assertFrame(terminal, "rollout/overtaken");
      await terminal.press("Escape");
      await wizard.shows("Enter shows what it would do");
      await wizard.stepIs("rewrite", " ");
      equal(await wizard.leave(), 0);
    }),
});
