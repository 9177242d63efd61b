/*
 * Goal: what the README's first command opens is the screen that the README
 * shows.
 * Method: the demo in a tmux of its own, with room on its disks; the frame is
 * compared with the one in tests/tui/frames/demo.
 */
import { deepEqual, equal } from "node:assert/strict";
import { HAS_CLUSTERS } from "../../e2e/cluster_process.ts";
import { demosIn } from "../../e2e/demo_home.ts";
import { assertFrame } from "./frames.ts";
import { Terminal } from "./terminal.ts";
import { HAS_TMUX } from "./tmux.ts";
import { roomyDisk } from "./watched_cluster.ts";

/** Programs on machines with much to do. */
const OPENS_MS_MAX = 60_000;

Deno.test({
  name: "the demo opens with what the README shows",
  ignore: !(HAS_CLUSTERS && HAS_TMUX),
  fn: async () => {
    await using disk = await roomyDisk();
    const env = { TMPDIR: disk.path };
    await using terminal = await Terminal.open({ columns: 96, rows: 32, env });
    await terminal.run("sealkv demo");
    await terminal.showsWithin(OPENS_MS_MAX, /\blive$/m, /: \d+ writes/);
    await assertFrame(terminal, "demo/opened");
    await terminal.press("q");
    equal(await terminal.exitCode(), 0);
    await terminal.assertRestored();
    deepEqual(demosIn(disk.path), []);
  },
});
