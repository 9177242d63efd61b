// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: how fast is `sealkv encryption rewrite`, and what does it do to
 * clients that write meanwhile? Three nodes; first alone, then pairs of runs
 * without and with it, at full speed and with --rate. Prints tables, then JSON.
 *
 *     TMPDIR=/var/tmp deno run -A bench/rewrite.ts [--records 100000] \
 *       [--value 1024] [--clients 16] [--rounds 5] [--seconds 3] [--rate 1]
 */
import { parseArgs } from "node:util";
import type { ClusterTask } from "../src/admin/client.ts";
import { median } from "../src/bench/median.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import { denoServices } from "../src/cli/services.ts";
import { pause, SealedCluster } from "./sealed/cluster.ts";
import { rewriteNow, rewritten } from "./sealed/rewrite_watch.ts";
import { type Seen, Writers } from "./sealed/writers.ts";

const MIB = 2 ** 20;
const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    records: { type: "string", default: "100000" },
    value: { type: "string", default: "1024" },
    clients: { type: "string", default: "16" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    /** MiB/s. */
    rate: { type: "string", default: "1" },
  },
});
const runMs = Number(flags.seconds) * 1_000;

const services = denoServices();
await using cluster = await SealedCluster.start(services);
const system = await cluster.system(Number(flags.value));
await system.load(Number(flags.records));
await cluster.take("enable-storage-envelope");

/** Records and MiB a second of each member. */
function rateOf(tasks: readonly ClusterTask[]) {
  return tasks.map(({ member, done, bytes, elapsedMs }) => {
    const seconds = Number(elapsedMs) / 1_000;
    return {
      member,
      "records/s": Math.round(Number(done) / seconds),
      "MiB/s": Number((Number(bytes) / MIB / seconds).toFixed(2)),
      seconds,
    };
  });
}

const resume = (rate: number) =>
  cluster.change((client, options) => client.resumeRewrite(rate, options));
const hold = () =>
  cluster.change((client, options) => client.pauseRewrite(options));
const turnKey = () =>
  cluster.change((client, options) => client.rotateDek("storage", options));

const cpuFromMs = await cluster.nodes.processes.cpuMs() ?? 0;
await cluster.change((client, options) => client.startRewrite(0, options));
const tasks = await rewritten(cluster);
const cpuMs = await cluster.nodes.processes.cpuMs() ?? 0;
const recordsDone = tasks.reduce((sum, { done }) => sum + Number(done), 0);
const alone = rateOf(tasks);
const cpuMicros = Math.round((cpuMs - cpuFromMs) * 1_000 / recordsDone);

interface Pair {
  readonly without: Seen;
  readonly withIt: Seen;
  /** Of a member, on average, while it ran. */
  readonly mibPerSecond: number;
}

/** Pairs of runs beside writers; every pair has all records to seal anew. */
async function pairsAt(rate: number): Promise<readonly Pair[]> {
  await using writers = await Writers.start(system, {
    clients: Number(flags.clients),
    members: 3,
  });
  const pairs: Pair[] = [];
  for (let i = 0; i < Number(flags.rounds); i += 1) {
    await hold();
    await turnKey();
    const without = await writers.during(() => pause(runMs));
    const counted = await bytesNow();
    await resume(rate);
    // All records are counted before the first is sealed anew.
    let before = counted;
    while (before === counted) before = await bytesNow();
    const withIt = await writers.during(() => pause(runMs));
    const bytes = await bytesNow() - before;
    const mibPerSecond = bytes / 3 / MIB / (runMs / 1_000);
    pairs.push({ without, withIt, mibPerSecond });
  }
  return pairs;
}

async function bytesNow(): Promise<number> {
  const tasks = await rewriteNow(cluster);
  return tasks.reduce((sum, { bytes }) => sum + Number(bytes), 0);
}

function rowOf(name: string, pairs: readonly Pair[]) {
  const of = (read: (seen: Seen) => number, ratio = false) => {
    const each = pairs.map(({ without, withIt }) =>
      ratio ? read(withIt) / read(without) : read(withIt)
    );
    return Number(median(each).toFixed(2));
  };
  const without = (read: (seen: Seen) => number) =>
    Number(median(pairs.map(({ without }) => read(without))).toFixed(2));
  const perSecond = ({ figures }: Seen) => figures.perSecond;
  const p99 = ({ figures }: Seen) => figures.p99Ms;
  return {
    rewrite: name,
    "writes/s without": without(perSecond),
    "with": of(perSecond),
    "ratio": of(perSecond, true),
    "p99 ms without": without(p99),
    "p99 with": of(p99),
    "p99 ratio": of(p99, true),
    "longest with": of(({ longestMs }) => longestMs),
    "MiB/s of a member": Number(
      median(pairs.map(({ mibPerSecond }) => mibPerSecond)).toFixed(2),
    ),
  };
}

const rows = [
  rowOf("full speed", await pairsAt(0)),
  rowOf(`--rate ${flags.rate}MiB`, await pairsAt(Number(flags.rate) * MIB)),
];
const machine = await machineName(Deno.env.get("TMPDIR") ?? "/tmp");
console.log(
  `rewrite of ${flags.records} records of ${flags.value} B on ${machine}`,
);
console.log("alone, the count before and after it included:");
console.table(alone);
console.log(`processor µs a record: ${cpuMicros}`);
console.log(
  `beside ${flags.clients} writers, medians of ${flags.rounds} pairs:`,
);
console.table(rows);
console.log(
  JSON.stringify({ bench: "rewrite", machine, alone, cpuMicros, rows }),
);
