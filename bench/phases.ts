// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: what does encryption cost? Writes and strong reads at the leader of
 * three nodes in phase 2, next to three nodes in phase 0, loaded in turn; and
 * which threads the difference goes to. Ratios are of phase 2 to phase 0, the
 * median of the pairs. Linux only. Prints tables, then JSON.
 *
 *     TMPDIR=/var/tmp deno run -A bench/phases.ts [--rounds 9] [--clients 64] \
 *       [--seconds 4] [--values 256,4096] [--records 20000] [--only write,read]
 */
import { parseArgs } from "node:util";
import { tableOf } from "../src/bench/report.ts";
import { type Contender, measureRounds } from "../src/bench/rounds.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import { denoServices } from "../src/cli/services.ts";
import { pause, SealedCluster } from "./sealed/cluster.ts";
import { ThreadCosts } from "./sealed/thread_costs.ts";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "9" },
    clients: { type: "string", default: "64" },
    seconds: { type: "string", default: "4" },
    values: { type: "string", default: "256,4096" },
    records: { type: "string", default: "20000" },
    only: { type: "string", default: "write,read" },
  },
});
const WARM_UP_MS = 1_000;
const SETTLE_MS = 1_000;
const PHASES = [0, 2] as const;

const costs = new ThreadCosts();

/** The questions of one phase: "sealkv, leader" only. */
async function contendersOf(
  cluster: SealedCluster,
  phase: (typeof PHASES)[number],
  valueBytes: number,
): Promise<readonly Contender[]> {
  const system = await cluster.system(valueBytes);
  const asked: Contender[] = [];
  if (flags.only.includes("write")) asked.push(...system.writers());
  if (flags.only.includes("read")) {
    const records = Number(flags.records);
    await system.load(records);
    asked.push(...system.readers(records));
  }
  return asked
    .filter(({ system }) => system === "sealkv, leader")
    .map((contender) => ({
      ...contender,
      isOurs: phase === 2,
      system: `phase ${phase}`,
      run: async (shape) => {
        const leader = await cluster.nodes.leader();
        const label = `${contender.question}, phase ${phase}`;
        return await costs.watch(
          { label, pids: cluster.nodes.pids, leader },
          () => contender.run(shape),
        );
      },
    }));
}

const services = denoServices();
await using plain = await SealedCluster.start(services);
await using sealed = await SealedCluster.start(services);
await sealed.take("enable-storage-envelope");
await sealed.take("enable-raft-envelope");
const machine = await machineName(Deno.env.get("TMPDIR") ?? "/tmp");
const reports = [];
for (const valueBytes of flags.values.split(",").map(Number)) {
  const before = await contendersOf(plain, 0, valueBytes);
  const after = await contendersOf(sealed, 2, valueBytes);
  await pause(SETTLE_MS);
  for (const [i, contender] of after.entries()) {
    const measured = await measureRounds({
      contenders: [before[i]!, contender],
      clients: [Number(flags.clients)],
      rounds: Number(flags.rounds),
      warmUpMs: WARM_UP_MS,
      measureMs: Number(flags.seconds) * 1_000,
    });
    const report = {
      ...measured,
      bench: `phases, ${contender.question}`,
      machine,
      notes: {},
    };
    console.log(`${tableOf(report)}\n`);
    reports.push(report);
  }
}
console.log("processor µs per request, all threads of a kind");
console.table(costs.table());
console.log(
  JSON.stringify({
    ...{ bench: "phases", machine, reports, threads: costs.table() },
  }),
);
