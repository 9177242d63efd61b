import {
  Argument,
  type Command,
  InvalidArgumentError,
  Option,
} from "@commander-js/extra-typings";
import {
  measureLoad,
  measureReads,
  measureWrites,
  type QuestionOptions,
} from "../bench/question.ts";
import type { BenchTarget } from "../bench/kv_target.ts";
import { type BenchReport, tableOf } from "../bench/report.ts";
import { denoClock } from "../io/deno/clock.ts";
import { denoHttpClient } from "../io/deno/http.ts";
import { openDenoKv } from "../io/deno/kv.ts";
import { denoNet } from "../io/deno/net.ts";
import { denoRandom } from "../io/deno/random.ts";
import { startBenchNode } from "./bench_node.ts";
import { UsageError } from "./errors.ts";
import {
  accessTokenFileOption,
  durationArgument,
  jsonOption,
} from "./options.ts";
import type { Services } from "./services.ts";
import { readAccessToken } from "./tokens.ts";

const QUESTIONS: Readonly<
  Record<string, (options: QuestionOptions) => Promise<BenchReport>>
> = { write: measureWrites, read: measureReads, load: measureLoad };

const CLIENTS_DEFAULT = [1, 16, 64, 256];
const CLIENTS_MAX = 4_096;
const WARM_UP_MS = 1_000;

const HELP = `
Starts a node of its own in a temporary directory, loads it over real sockets
from this process, and does the same to a local Deno KV file in the same run.
The compiled binary may not run programs: start a node and give its --url.
write: sets of 256 bytes, random among a million keys.
read:  strong gets of one of 50,000 records of 256 bytes.
load:  a million records of 256 bytes, and the node's memory after them.`;

/** Adds `bench`. */
export function addBench(program: Command, services: Services): void {
  program.command("bench")
    .description("measure this machine")
    .addArgument(
      new Argument("[question]", "what to measure")
        .choices(Object.keys(QUESTIONS)).default("write"),
    )
    .addOption(
      new Option("--clients <COUNTS>", "callers at once, separated by commas")
        .default(CLIENTS_DEFAULT, CLIENTS_DEFAULT.join())
        .argParser(clientsArgument),
    )
    .addOption(
      new Option("--duration <DURATION>", "time of each measurement")
        .default(5_000, "5s").argParser(durationArgument),
    )
    .addOption(
      new Option("--url <URL>", "measure a running node instead")
        .env("SEALKV_URL"),
    )
    .addOption(accessTokenFileOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (question, options) => {
      const { url, accessTokenFile, clients, duration, json } = options;
      const token = url === undefined
        ? null
        : await readAccessToken(services, accessTokenFile);
      const report = await withTarget(
        url === undefined || token === null
          ? null
          : { url, accessToken: token.reveal() },
        (target, dir) =>
          measure(question, { target, dir, clients, measureMs: duration }),
      );
      const text = json === true ? JSON.stringify(report) : tableOf(report);
      services.terminal.out.write(`${text}\n`);
    });
}

interface Measurement {
  readonly target: BenchTarget;
  readonly dir: string;
  readonly clients: readonly number[];
  readonly measureMs: number;
}

async function measure(
  question: string,
  { target, dir, clients, measureMs }: Measurement,
): Promise<BenchReport> {
  const http = denoHttpClient({});
  const local = await openDenoKv(`${dir}/local.sqlite`);
  try {
    return await (QUESTIONS[question] ?? measureWrites)({
      ports: { net: denoNet(), http, clock: denoClock(), random: denoRandom() },
      target,
      local,
      clients,
      warmUpMs: WARM_UP_MS,
      measureMs,
      machine: machineName(),
    });
  } finally {
    local.close();
    http.close();
  }
}

/** Runs `task` against `given`, or against a node of its own. */
async function withTarget(
  given: BenchTarget | null,
  task: (target: BenchTarget, dir: string) => Promise<BenchReport>,
): Promise<BenchReport> {
  const dir = await Deno.makeTempDir({ prefix: "sealkv-bench-" });
  try {
    if (given !== null) return await task(given, dir);
    await mayRunPrograms();
    const node = await startBenchNode(dir);
    try {
      const report = await task(node, dir);
      const mib = await node.residentMib();
      if (mib === null) return report;
      const notes = { ...report.notes, "resident MiB of the node": mib };
      return { ...report, notes };
    } finally {
      await node.stop();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** @throws {UsageError} In a build that has no such permission. */
async function mayRunPrograms(): Promise<void> {
  const { state } = await Deno.permissions.query({ name: "run" });
  if (state === "granted") return;
  throw new UsageError(
    "Cannot start a node to measure as this build may not run programs",
    "Start one with `sealkv serve` and give its address with --url",
  );
}

function machineName(): string {
  const { os, arch } = Deno.build;
  const cores = navigator.hardwareConcurrency;
  return `${cores} cores, ${os} ${arch}, deno ${Deno.version.deno}`;
}

function clientsArgument(text: string): number[] {
  const counts = text.split(",").map(Number);
  const isCount = (count: number) =>
    Number.isInteger(count) && count >= 1 && count <= CLIENTS_MAX;
  if (counts.every(isCount)) return counts;
  throw new InvalidArgumentError(
    `Write whole numbers of 1 to ${CLIENTS_MAX}, as 1,16,64.`,
  );
}
