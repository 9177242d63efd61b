/*
 * Goal: the wizard knows at every moment what is true of the members: one that
 * lacks its KEK blocks, with what to do about it, and one that is killed is
 * seen to be; both are seen to be well again, by a wizard that just stays open.
 * Method: the real command in a tmux of its own, three real nodes that are
 * killed and restarted.
 */
import { equal } from "node:assert/strict";
import { kekArgs } from "../../e2e/kek_files.ts";
import { assertFrame } from "./frames.ts";
import { CAN_WATCH, withWatchedCluster } from "./watched_cluster.ts";
import { Wizard } from "./wizard.ts";

Deno.test({
  name: "a member without its KEK blocks until it is restarted with it",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster(
      { withKek: ["n1", "n2"] },
      async ({ rollout, kek, open }) => {
        await using terminal = await open();
        const wizard = await Wizard.open(terminal);
        await wizard.stepIs("capability", "!");
        await wizard.shows(
          "fix n3: Restart it with --encryption-enabled --kek",
        );
        await assertFrame(terminal, "rollout/no_kek");
        await wizard.select("storage");
        await terminal.press("Enter");
        await wizard.shows("Blocked: ");
        await rollout.encrypted.restart("n3", kekArgs(kek));
        await wizard.stepIsDone("capability");
        await wizard.take("storage");
        equal((await rollout.status()).phase, 1);
        equal(await wizard.leave(), 0);
      },
    ),
});

Deno.test({
  name: "a member that is killed is seen to be gone, and to be back",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, open }) => {
      await using terminal = await open();
      const wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      await cluster.kill("n3");
      await wizard.shows(/n3 .*\bNO {3,}(?:NO\b|-)/);
      await wizard.stepIs("capability", "!");
      // Once it has not proven itself either, which takes a while to tell.
      await wizard.shows(/\b3 fail\b/);
      await assertFrame(terminal, "rollout/member_down");
      await cluster.start("n3");
      await wizard.stepIsDone("capability");
      // The one that the screen was told by.
      await cluster.kill("n1");
      await wizard.shows(/n1 .*\bNO\b/);
      await cluster.start("n1");
      await wizard.stepIsDone("capability");
      await wizard.take("storage");
      equal(await wizard.leave(), 0);
    }),
});

Deno.test({
  name: "where nobody answers, what is shown is said to be old, until they do",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, open }) => {
      await using terminal = await open();
      const wizard = await Wizard.open(terminal);
      await wizard.stepIsDone("capability");
      for (const name of cluster.names) cluster.pause(name);
      // Old at first; then the look that nobody answers is at its end.
      await wizard.shows("NO ANSWER", "Cannot reach");
      await assertFrame(terminal, "rollout/no_answer");
      await terminal.press("Enter");
      await wizard.shows("Not while nobody answers.");
      for (const name of cluster.names) cluster.resume(name);
      await terminal.hides("NO ANSWER");
      await wizard.stepIsDone("capability");
      equal(await wizard.leave(), 0);
    }),
});
