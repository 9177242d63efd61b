// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: how long do clients that write all the time wait at most while a
 * cluster of three nodes takes each step of the rollout? Beside each step the
 * same for as long without one, just before. No write may fail. Each round has
 * a new cluster. Prints a table, then JSON.
 *
 *     TMPDIR=/var/tmp deno run -A bench/cutover_pause.ts [--rounds 5] \
 *       [--clients 9] [--records 20000] [--value 256]
 */
import { parseArgs } from "node:util";
import { median } from "../src/bench/median.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import { denoServices } from "../src/cli/services.ts";
import { pause, SealedCluster, type Step } from "./sealed/cluster.ts";
import { rewritten } from "./sealed/rewrite_watch.ts";
import { Writers } from "./sealed/writers.ts";

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "5" },
    clients: { type: "string", default: "9" },
    records: { type: "string", default: "20000" },
    value: { type: "string", default: "256" },
  },
});
const services = denoServices();

interface Sample {
  readonly step: string;
  readonly tookMs: number;
  readonly longestMs: number;
  /** Without the step, for as long. */
  readonly quietMs: number;
  /** How long the leader let nothing be proposed, by its log; 0 for never. */
  readonly gateMs: number;
}

async function round(): Promise<readonly Sample[]> {
  await using cluster = await SealedCluster.start(services);
  const system = await cluster.system(Number(flags.value));
  await system.load(Number(flags.records));
  await using writers = await Writers.start(system, {
    clients: Number(flags.clients),
    members: 3,
  });
  const samples: Sample[] = [];
  let expectedMs = 500;
  const look = async (step: string, work: () => Promise<void>) => {
    const quiet = await writers.during(() => pause(expectedMs));
    const { tookMs, longestMs } = await writers.during(work);
    const gateMs = step === "enable-raft-envelope" ? gateOf(cluster) : 0;
    samples.push({ step, tookMs, longestMs, quietMs: quiet.longestMs, gateMs });
    expectedMs = Math.min(Math.max(tookMs, 500), 5_000);
  };
  const take = (step: Step) => look(step, () => cluster.take(step));
  await take("enable-storage-envelope");
  await look("rewrite", async () => {
    await cluster.change((client, options) => client.startRewrite(0, options));
    await rewritten(cluster);
  });
  await take("seal-cleartext");
  await take("enable-raft-envelope");
  await take("scrub");
  return samples;
}

function gateOf({ nodes }: SealedCluster): number {
  const opened = /"event":"encryption_gate_opened"[^\n]*"ms":(\d+)/;
  const found = nodes.logs.flatMap((log) => opened.exec(log)?.[1] ?? []);
  return Math.max(...found.map(Number));
}

const samples: Sample[] = [];
for (let i = 0; i < Number(flags.rounds); i += 1) {
  samples.push(...await round());
}
const steps = [...new Set(samples.map(({ step }) => step))];
const rows = steps.map((step) => {
  const own = samples.filter((sample) => sample.step === step);
  const of = (read: (sample: Sample) => number) =>
    own.map(read).map(Math.round);
  const longest = of(({ longestMs }) => longestMs);
  return {
    step,
    "median ms": median(longest),
    "worst ms": Math.max(...longest),
    "without it, median ms": median(of(({ quietMs }) => quietMs)),
    "step took, median ms": median(of(({ tookMs }) => tookMs)),
    "rounds, ms": longest.join(" "),
    "gate closed, ms": of(({ gateMs }) => gateMs).join(" "),
  };
});
const machine = await machineName(Deno.env.get("TMPDIR") ?? "/tmp");
console.log(
  `longest wait of ${flags.clients} writers, ${flags.records} records of ${flags.value} B, on ${machine}`,
);
console.table(rows);
console.log(JSON.stringify({ bench: "cutover_pause", machine, rows, samples }));
