/*
 * Goal: `status --watch` on a terminal follows the cluster, and ends without a
 * trace on the terminal.
 * Method: real nodes, the real command in a tmux of its own; frames compared
 * with those in tests/tui/frames.
 */
import { equal } from "node:assert/strict";
import { assertFrame } from "./frames.ts";
import { CAN_WATCH, withWatchedCluster } from "./watched_cluster.ts";

Deno.test({
  name: "status --watch follows a member that goes and comes back",
  ignore: !CAN_WATCH,
  fn: () =>
    withWatchedCluster({}, async ({ cluster, open }) => {
      await using terminal = await open({ columns: 96, rows: 24 });
      await terminal.run("sealkv status --watch");
      await terminal.shows("n1", "n2", "n3", /leader/);
      await assertFrame(terminal, "status_watch");
      const leader = await cluster.leader();
      const other = cluster.names.find((name) => name !== leader)!;
      await cluster.kill(other);
      await terminal.shows(new RegExp(`${other} .*\\bNO\\b`));
      await cluster.start(other);
      await terminal.screenThat(`"${other}" is back`, (screen) => {
        return !new RegExp(`${other} .*\\bNO\\b`).test(screen);
      });
      await terminal.press("C-c");
      equal(await terminal.exitCode(), 130);
      await terminal.assertRestored();
    }),
});
