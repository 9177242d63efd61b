// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: what does etcd's own `etcdctl check perf` say of three members
 * here, and what do three nodes of sealkv answer with as many callers and as
 * large values? The load of etcdctl takes 60 s and stops at a rate of its own
 * ("l": 500 callers, 8,000 writes a second); ours has no such limit.
 *
 *     deno run -A bench/etcd_check_perf.ts [--load l] [--nodes 3] [--seconds 60]
 */
import { parseArgs } from "node:util";
import { tableOf } from "../src/bench/report.ts";
import { BenchEtcd } from "../src/cli/bench_etcd.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import { runBench } from "../src/cli/bench_run.ts";
import { denoServices } from "../src/cli/services.ts";

/** Callers and top rate of etcdctl's loads. Source: etcd 3.4 etcdctl check. */
const LOADS = {
  s: { clients: 50, perSecond: 150 },
  m: { clients: 200, perSecond: 1_000 },
  l: { clients: 500, perSecond: 8_000 },
  xl: { clients: 1_000, perSecond: 15_000 },
} as const;
/** Of its values, with keys of 256 bytes. */
const VALUE_BYTES = 1_024;

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    load: { type: "string", default: "l" },
    nodes: { type: "string", default: "3" },
    seconds: { type: "string", default: "60" },
  },
});
const load = flags.load as keyof typeof LOADS;
const nodes = Number(flags.nodes);

/** What etcdctl prints at the end, verdicts included. */
async function checkPerf(dir: string): Promise<string> {
  const etcd = await BenchEtcd.start(denoServices(), dir, nodes);
  try {
    const { stdout } = await new Deno.Command("etcdctl", {
      args: [
        `--endpoints=${etcd.addresses.join()}`,
        ...["check", "perf", `--load=${load}`],
      ],
      stderr: "inherit",
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await etcd.stop();
  }
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`etcdctl printed: ${text}`);
  return Number(found);
}

const dir = await Deno.makeTempDir({ prefix: "sealkv-bench-" });
try {
  const { clients, perSecond: perSecondMax } = LOADS[load];
  const output = await checkPerf(dir);
  const etcd = {
    perSecond: numberIn(output, /hroughput[^0-9]*(\d+) writes\/s/),
    slowestMs: numberIn(output, /lowest request took[^0-9]*([\d.]+)s/) * 1000,
    deviationMs: numberIn(output, /tddev[^0-9]*([\d.]+)s/) * 1000,
  };
  const measured = await runBench(denoServices(), {
    question: "write",
    given: null,
    nodes,
    against: "none",
    clients: [clients],
    valueBytes: VALUE_BYTES,
    records: null,
    measureMs: Number(flags.seconds) * 1000,
    rounds: 1,
  }, new Promise(() => {}));
  if (measured === null) throw new Error("nothing stops this bench");
  const report = {
    ...measured,
    bench: "etcd_check_perf",
    machine: await machineName(dir),
    notes: {
      [`etcdctl check perf --load=${load}, writes a second`]: etcd.perSecond,
      "etcdctl's slowest request, ms": etcd.slowestMs,
      "etcdctl's standard deviation, ms": etcd.deviationMs,
      "sealkv's slowest request, ms": Math.max(
        ...measured.rows.map(({ figures }) => figures.maxMs),
      ),
      "sealkv / etcdctl, writes a second": Math.max(
        ...measured.rows.map(({ figures }) => figures.perSecond),
      ) / etcd.perSecond,
    },
    remarks: [
      `etcdctl stops at ${perSecondMax} writes a second; its keys have 256 ` +
      `bytes, ours 20; values of both ${VALUE_BYTES}`,
      ...output.split(/[\r\n]+/).filter((line) => /^(PASS|FAIL)/.test(line)),
    ],
  };
  console.log(tableOf(report));
  console.log(JSON.stringify(report));
} finally {
  await Deno.remove(dir, { recursive: true });
}
