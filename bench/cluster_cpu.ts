// deno-lint-ignore-file no-console -- a bench prints.
/*
 * Question: where does the processor time of nodes under writes go, by thread?
 * With --functions also by function of the main thread (V8's sampling
 * profiler, which slows the nodes a little). Linux only. Prints tables, then
 * JSON. With --pids it starts nothing and looks at processes that run.
 *
 *     deno run -A bench/cluster_cpu.ts [--nodes 3] [--clients 64] \
 *       [--seconds 10] [--spread] [--functions] [--pids PID,…]
 */
import { parseArgs } from "node:util";
import type { BenchPorts } from "../src/bench/kv_target.ts";
import { runLoad } from "../src/bench/load.ts";
import { SealkvSystem } from "../src/bench/sealkv_system.ts";
import { freeAddresses } from "../src/cli/bench_address.ts";
import { BenchSealkv } from "../src/cli/bench_sealkv.ts";
import { denoServices } from "../src/cli/services.ts";
import { denoNet } from "../src/io/deno/net.ts";
import { denoRandom } from "../src/io/deno/random.ts";
import { FunctionProfiler, type FunctionUse } from "./cpu/functions.ts";
import {
  machineTicks,
  machineUse,
  threadTimes,
  type ThreadUse,
  threadUses,
} from "./cpu/threads.ts";

const VALUE_BYTES = 256;
const WARM_UP_MS = 2_000;
const FUNCTIONS_SHOWN = 30;
/** Threads that use less of a processor are summed up. */
const THREAD_SHOWN_MIN = 0.005;

const { values: flags } = parseArgs({
  args: Deno.args,
  options: {
    nodes: { type: "string", default: "3" },
    clients: { type: "string", default: "64" },
    seconds: { type: "string", default: "10" },
    pids: { type: "string" },
    spread: { type: "boolean", default: false },
    functions: { type: "boolean", default: false },
  },
});
const seconds = Number(flags.seconds);

interface ProcessUse {
  readonly name: string;
  readonly threads: readonly ThreadUse[];
}

/** What threads do while `work` runs. */
async function watchThreads(
  pids: ReadonlyMap<string, number>,
  work: () => Promise<void>,
) {
  const machineBefore = machineTicks();
  const before = [...pids].map(([, pid]) => threadTimes(pid));
  const from = performance.now();
  await work();
  const tookSeconds = (performance.now() - from) / 1000;
  const processes = [...pids].map(([name, pid], i): ProcessUse => ({
    name: `${name} (pid ${pid})`,
    threads: threadUses(before[i]!, threadTimes(pid), tookSeconds),
  }));
  const machine = machineUse(machineBefore, machineTicks(), tookSeconds);
  return { machine, processes };
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function printThreads({ name, threads }: ProcessUse): void {
  const busy = (list: readonly ThreadUse[]) =>
    list.reduce((sum, { user, system }) => sum + user + system, 0);
  console.log(`\n${name}: ${busy(threads).toFixed(2)} processors`);
  console.log(`${"thread".padEnd(30)}   user  system  waits/s`);
  const shown = threads.filter((thread) => busy([thread]) >= THREAD_SHOWN_MIN);
  for (const { thread, user, system, waits } of shown) {
    const numbers = [user.toFixed(3), system.toFixed(3), waits.toFixed(0)];
    console.log(
      thread.padEnd(30) + numbers.map((cell) => cell.padStart(7)).join(" "),
    );
  }
}

function printFunctions(name: string, uses: readonly FunctionUse[]): void {
  console.log(`\n${name}: functions of the main thread`);
  for (const { name: of, share } of uses.slice(0, FUNCTIONS_SHOWN)) {
    console.log(`${(share * 100).toFixed(1).padStart(5)} %  ${of}`);
  }
}

/** Starts nodes, loads them, and watches them in the middle of the load. */
async function watchNodes(dir: string): Promise<void> {
  const services = denoServices();
  const nodes = Number(flags.nodes);
  const inspectors = Array.from({ length: nodes }, () => {
    const [address = ""] = freeAddresses(denoRandom(), [9229]);
    return address;
  });
  const cluster = await BenchSealkv.start(services, {
    dir,
    nodes,
    denoFlags: (i) => flags.functions ? [`--inspect=${inspectors[i]}`] : [],
  });
  try {
    const leader = await cluster.leader();
    const role = (i: number) => i === leader ? "leader" : "follower";
    const pids = new Map(
      cluster.pids.map((pid, i) => [`n${i + 1}, ${role(i)}`, pid]),
    );
    pids.set("this load generator", Deno.pid);
    const load = loadOf(cluster);
    await pause(WARM_UP_MS);
    const profilers = flags.functions
      ? await Promise.all(inspectors.map((at) => FunctionProfiler.start(at)))
      : [];
    const { machine, processes } = await watchThreads(
      pids,
      () => pause(seconds * 1000),
    );
    const functions = await Promise.all(profilers.map((p) => p.stop()));
    const figures = await load;
    console.log(
      `${flags.clients} callers, ${
        flags.spread ? "spread" : "at the leader"
      }: ` +
        `${figures.perSecond.toFixed(0)} writes a second, ` +
        `p50 ${figures.p50Ms.toFixed(1)} ms, p99 ${
          figures.p99Ms.toFixed(1)
        } ms`,
    );
    print(machine, processes);
    for (const [i, uses] of functions.entries()) {
      printFunctions(`n${i + 1}, ${role(i)}`, uses);
    }
    const top = functions.map((uses) => uses.slice(0, FUNCTIONS_SHOWN));
    console.log(JSON.stringify({
      ...{ bench: "cluster_cpu", figures, machine, processes },
      functions: top,
    }));
  } finally {
    await cluster.stop();
  }
}

/** Writes until a little after the time that is watched. */
async function loadOf(cluster: BenchSealkv) {
  const services = denoServices();
  const http = services.httpClient({});
  const { clock } = services;
  const ports: BenchPorts = {
    net: denoNet(),
    http,
    clock,
    random: denoRandom(),
  };
  const { accessToken, addresses, processes } = cluster;
  const system = await SealkvSystem.open({
    ports,
    self: { clock, cpuMs: () => Promise.resolve(null) },
    targets: addresses.map((address) => ({
      url: `http://${address}`,
      accessToken,
      valueBytes: VALUE_BYTES,
    })),
    leader: () => cluster.leader(),
    processes,
  });
  const leader = await cluster.leader();
  const { figures } = await runLoad({
    clock,
    clients: Number(flags.clients),
    warmUpMs: WARM_UP_MS,
    measureMs: seconds * 1000 + 1_000,
    connect: (client) =>
      system.writer(flags.spread ? client % addresses.length : leader),
  });
  http.close();
  return figures;
}

function print(
  machine: Readonly<Record<string, number>>,
  processes: readonly ProcessUse[],
): void {
  const parts = Object.entries(machine).map(([name, use]) =>
    `${name} ${use.toFixed(2)}`
  );
  console.log(`whole machine, processors: ${parts.join(", ")}`);
  for (const use of processes) printThreads(use);
}

if (flags.pids !== undefined) {
  const pids = flags.pids.split(",").map(Number);
  const { machine, processes } = await watchThreads(
    new Map(pids.map((pid) => [`process ${pid}`, pid])),
    () => pause(seconds * 1000),
  );
  print(machine, processes);
  console.log(JSON.stringify({ bench: "cluster_cpu", machine, processes }));
} else {
  const dir = await Deno.makeTempDir({ prefix: "sealkv-bench-" });
  try {
    await watchNodes(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
