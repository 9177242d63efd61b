/*
 * Goal: what an operator chooses by keys is what the cluster does: that a copy
 * of the KEK is kept, how long later steps wait, how fast the rewrite is.
 * Method: the real command in a tmux of its own, three real nodes; a rewrite
 * that is slow until a key lets it go.
 */
import { equal, match } from "node:assert/strict";
import { CAN_WATCH, fill, withWatchedCluster } from "./watched_cluster.ts";
import { Wizard } from "./wizard.ts";

Deno.test({
  name: "the wizard wants to see a copy of the KEK, by the end of its id",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ kek, rollout, open }) => {
      // All checks find room.
      await using terminal = await open({ rows: 50 });
      const wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      await wizard.select("capability");
      await terminal.press("a");
      await wizard.shows(/\[w\] K05/);
      await terminal.press("e");
      await wizard.shows("Type the last 4 characters");
      await terminal.type("none");
      await wizard.shows("> none");
      await terminal.press("Enter");
      await wizard.shows('"none" is not how the id of the KEK in use ends');
      // As one would see it of the copy.
      const { stdout } = await rollout.encrypted
        .runLocal("kek", "id", kek.path);
      const end = stdout.trim().slice(-4);
      await terminal.type(end);
      await wizard.shows(`> ${end}`);
      await terminal.press("Enter");
      await wizard.shows(/\[x\] K05/);
      await terminal.hides("e escrow check");
      equal(await wizard.leave(), 0);
    }),
});

Deno.test({
  name: "dwell and rate are chosen by keys, and a rewrite is paused",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, rollout, open }) => {
      await fill(cluster.url("n1"));
      await using terminal = await open();
      const wizard = await Wizard.open(terminal, "--rate 1KiB");
      await wizard.stepIsDone("capability");
      await wizard.take("storage");
      await terminal.press("d");
      await wizard.shows("How long to dwell");
      await terminal.press("Down");
      await wizard.shows(/> \[ \] 1 hour/);
      await terminal.press("Enter");
      await wizard.shows(/Dwell .* left, until/);
      match(await wizard.plan("rewrite"), /encryption dwell --until /);
      await wizard.start("rewrite");
      await wizard.shows("p pause");
      await terminal.press("p");
      await wizard.shows("RUNNING: paused");
      // The next one down of "no bound"; it lets the rewrite go on.
      await terminal.press("-");
      await terminal.hides("RUNNING: paused");
      await wizard.stepIsDone("rewrite");
      await wizard.select("seal");
      await wizard.stepIs("seal", "!");
      await wizard.shows(/R02 .*\b/);
      await wizard.select("rewrite");
      await terminal.press("d");
      await wizard.shows(/> \[.\] no dwell/);
      await terminal.press("Enter");
      await wizard.stepIs("seal", " ");
      await wizard.select("seal");
      await wizard.take("seal");
      match((await rollout.status()).cleartextLockIndex, /^[1-9]/);
      equal(await wizard.leave(), 0);
    }),
});
