// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: how long do the screens take to open, and what do they take of the
 * machine while nobody types? Three real nodes; each screen in a tmux of its
 * own, with the binary of SEALKV_BIN or else from source. Targets: open in
 * 700 ms from the binary, 2 % of a core when idle. Prints a table, then JSON.
 *
 *     SEALKV_BIN=dist/sealkv deno run -A bench/wizard.ts [--rounds 5] \
 *       [--idle-s 30] [--only "sealkv rollout"]
 */
import { parseArgs } from "node:util";
import { median } from "../src/bench/median.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import {
  type MeasuredScreen,
  measureScreen,
  type ScreenCost,
} from "../tests/tui/terminal/measure.ts";
import { withWatchedCluster } from "../tests/tui/terminal/watched_cluster.ts";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "5" },
    "idle-s": { type: "string", default: "30" },
    only: { type: "string", default: "" },
  },
});
const rounds = Number(flags.rounds);
const idleMs = Number(flags["idle-s"]) * 1_000;

const SCREENS: readonly MeasuredScreen[] = [
  { command: "sealkv rollout", shows: ["n1", "n2", "n3"], idleMs },
  { command: "sealkv dashboard", shows: ["n1", "n2", "n3"], idleMs },
  { command: "sealkv status --watch", shows: ["n1", "n2", "n3"], idleMs },
];

const results: { readonly command: string; readonly costs: ScreenCost[] }[] =
  [];
await withWatchedCluster({}, async ({ open }) => {
  for (const screen of SCREENS) {
    if (!screen.command.includes(flags.only)) continue;
    const costs: ScreenCost[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await using terminal = await open();
      // Only once: the first start of a program reads it from disk.
      if (round === 0) await terminal.printed("sealkv version");
      costs.push(await measureScreen(terminal, screen));
    }
    results.push({ command: screen.command, costs });
  }
});

const middle = (costs: readonly ScreenCost[], key: keyof ScreenCost) =>
  median(costs.map((cost) => cost[key]));
console.log(`${await machineName(Deno.cwd())}; medians of ${rounds}`);
console.log("| screen | opens | idle CPU | idle output | clears | memory |");
console.log("|---|---|---|---|---|---|");
for (const { command, costs } of results) {
  const cells = [
    `\`${command}\``,
    `${middle(costs, "firstFrameMs").toFixed(0)} ms`,
    `${(middle(costs, "idleShare") * 100).toFixed(1)} %`,
    `${middle(costs, "idleBytesPerSecond").toFixed(0)} B/s`,
    `${middle(costs, "idleClears")}`,
    `${(middle(costs, "residentBytes") / 2 ** 20).toFixed(0)} MiB`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
console.log(JSON.stringify({ rounds, idleMs, results }));
