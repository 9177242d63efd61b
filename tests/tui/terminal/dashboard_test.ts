/*
 * Goal: the dashboard shows what is true of the cluster and its members, on
 * every size, and finds its way by keys.
 * Method: the real command in a tmux of its own, three real nodes, one of which
 * is killed; frames compared with those in tests/tui/frames/dashboard.
 */
import { equal } from "node:assert/strict";
import { ENABLE_STORAGE } from "../../e2e/rollout.ts";
import { assertFrame } from "./frames.ts";
import type { Terminal } from "./terminal.ts";
import { CAN_WATCH, withWatchedCluster } from "./watched_cluster.ts";

const SIZES = [[60, 20], [80, 24], [96, 34], [120, 34]] as const;

async function openDashboard(terminal: Terminal): Promise<void> {
  await terminal.run("sealkv dashboard");
  await terminal.shows("prod-eu-1", "3 of 3 well");
}

async function leave(terminal: Terminal): Promise<void> {
  await terminal.press("q");
  equal(await terminal.exitCode(), 0);
  await terminal.assertRestored();
}

Deno.test({
  name: "the dashboard finds its way by keys, on every size",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ open }) => {
      await using terminal = await open();
      await openDashboard(terminal);
      for (const [columns, rows] of SIZES) {
        await terminal.resize(columns, rows);
        await assertFrame(terminal, `dashboard/size_${columns}x${rows}`);
      }
      await terminal.press("Enter");
      await assertFrame(terminal, "dashboard/member");
      await terminal.press("Right");
      await terminal.shows("Member n2");
      await terminal.press("Escape");
      await terminal.shows("3 of 3 well");
      await terminal.press("?");
      await assertFrame(terminal, "dashboard/help");
      await terminal.press("Escape");
      await terminal.shows("3 of 3 well");
      await leave(terminal);
    }),
});

Deno.test({
  name: "the dashboard shows keys and steps, and a member that is gone",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, rollout, open }) => {
      await using terminal = await open();
      await openDashboard(terminal);
      await rollout.take(ENABLE_STORAGE);
      await terminal.shows("phase 1", /storage .*\bactive\b/);
      await assertFrame(terminal, "dashboard/phase_1");
      await cluster.kill("n3");
      await terminal.shows(/n3 .*\bNO\b/, "2 of 3 well");
      await terminal.press("i");
      await assertFrame(terminal, "dashboard/member_down");
      await cluster.start("n3");
      await terminal.shows("nothing to look at");
      await terminal.press("Escape");
      await terminal.shows("3 of 3 well");
      await terminal.press("C-c");
      equal(await terminal.exitCode(), 130);
      await terminal.assertRestored();
    }),
});
