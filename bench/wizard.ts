// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: how long do the screens take to open, and what do they take of the
 * machine while nobody types? Three real nodes; each screen in a tmux of its
 * own, with the binary of SEALKV_BIN or else from source. Targets: open in
 * 700 ms from the binary, 2 % of a core when idle. Prints a table, then JSON.
 *
 * "opens CPU" is processor time, which other programs do not lengthen as they
 * do "opens". To look for leaks: `--only interval --idle-s 300`, which draws
 * ten times a second; "grows" is from the middle of that time to its end.
 *
 *     SEALKV_BIN=dist/sealkv deno run -A bench/wizard.ts [--rounds 3] \
 *       [--idle-s 60] [--only "sealkv rollout"] [--size 120x34]
 */
import { parseArgs } from "node:util";
import { median } from "../src/bench/median.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import {
  measureScreen,
  type ScreenCost,
} from "../tests/tui/terminal/measure.ts";
import { withWatchedCluster } from "../tests/tui/terminal/watched_cluster.ts";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "3" },
    "idle-s": { type: "string", default: "60" },
    only: { type: "string", default: "" },
    size: { type: "string", multiple: true, default: ["120x34", "60x20"] },
  },
});
const rounds = Number(flags.rounds);
const idleMs = Number(flags["idle-s"]) * 1_000;

/** Opened when they show all members. */
const COMMANDS = [
  "sealkv rollout",
  "sealkv dashboard",
  "sealkv dashboard --interval 100ms",
  "sealkv status --watch",
  "sealkv demo",
];

interface Result {
  readonly command: string;
  readonly size: string;
  readonly costs: readonly ScreenCost[];
}

const results: Result[] = [];
await withWatchedCluster({}, async ({ open }) => {
  for (const command of COMMANDS) {
    if (!command.includes(flags.only)) continue;
    for (const size of flags.size) {
      const [columns = 0, rows = 0] = size.split("x").map(Number);
      const costs: ScreenCost[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await using terminal = await open({ columns, rows });
        // The first start of a program reads it from disk.
        if (round === 0) await terminal.printed("sealkv version");
        const shows = ["n1", "n2", "n3"];
        costs.push(await measureScreen(terminal, { command, shows, idleMs }));
      }
      results.push({ command, size, costs });
      console.error(`${command} at ${size}: measured`);
    }
  }
});

/** Columns of the table: what of a cost, and how it reads. */
const COLUMNS: readonly (readonly [
  string,
  keyof ScreenCost,
  (value: number) => string,
])[] = [
  ["opens", "firstFrameMs", (ms) => `${ms.toFixed(0)} ms`],
  ["opens CPU", "firstFrameCpuMs", (ms) => `${ms.toFixed(0)} ms`],
  ["idle CPU", "idleShare", (share) => `${(share * 100).toFixed(1)} %`],
  ["idle output", "idleBytesPerSecond", (bytes) => `${bytes.toFixed(0)} B/s`],
  ["clears", "idleClears", String],
  ["memory", "residentBytes", mib],
  ["grows", "grownBytes", mib],
];

const names = ["screen", "size", ...COLUMNS.map(([name]) => name)];
console.log(`${await machineName(Deno.cwd())}; medians of ${rounds}`);
console.log(`| ${names.join(" | ")} |`);
console.log(`|${"---|".repeat(names.length)}`);
for (const { command, size, costs } of results) {
  const cells = COLUMNS.map(([_, key, text]) =>
    text(median(costs.map((cost) => cost[key])))
  );
  console.log(`| ${[`\`${command}\``, size, ...cells].join(" | ")} |`);
}
console.log(JSON.stringify({ rounds, idleMs, results }));

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
