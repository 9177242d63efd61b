import {
  Argument,
  type Command,
  InvalidArgumentError,
  Option,
} from "@commander-js/extra-typings";
import { RECORDS } from "../bench/records.ts";
import { type BenchReport, tableOf } from "../bench/report.ts";
import {
  BENCH_QUESTIONS,
  type BenchQuestion,
  type BenchRequest,
} from "./bench_request.ts";
import { UsageError } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { untilInterrupted } from "./interrupt.ts";
import {
  accessTokenFileOption,
  countArgument,
  durationArgument,
  jsonOption,
} from "./options.ts";
import type { Services } from "./services.ts";
import { readAccessToken } from "./tokens.ts";

const CLIENTS_DEFAULT = [1, 16, 64, 256];
const FAILOVER_CLIENTS = [16];
const CLIENTS_MAX = 4_096;
/** As many as bench keys have digits for. */
const RECORDS_MAX = 10_000_000;
const ROUNDS_MAX = 1_000;
const VALUE_BYTES = 256;
/** What the client of etcd sends in one window, with room for the key. */
const VALUE_BYTES_MAX = 65_000;

const HELP = `
Starts what it measures in a temporary directory (TMPDIR), asks over real
sockets from this process, and asks a local Deno KV file, or etcd, in the same
run: one after the other, in rounds; medians and ratios are printed. The
compiled binary may not run programs: start a node and give its --url.
write:    sets, random among a million keys. With --nodes 3 all at the leader
          ("leader") and evenly at all members ("spread").
read:     gets of one record, strong; with --nodes 3 at the leader and at a
          follower, and eventual.
load:     sets of a hundred records each, and the node's memory after them.
failover: kill -9 of the leader of three nodes, until the next answered write.`;

/** Adds `bench`. */
export function addBench(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  program.command("bench")
    .description("measure this machine")
    .addArgument(
      new Argument("[question]", "what to measure")
        .choices(BENCH_QUESTIONS).default("write" as const),
    )
    .addOption(nodesOption())
    .addOption(clientsOption())
    .addOption(
      new Option("--against <PEER>", "what to measure in the same run")
        .choices(["local", "etcd", "none"] as const).default("local" as const),
    )
    .addOption(
      new Option("--value-bytes <COUNT>", "size of each value")
        .default(VALUE_BYTES).argParser(countArgument(1, VALUE_BYTES_MAX)),
    )
    .addOption(
      new Option(
        "--records <COUNT>",
        `records to load (default: read ${RECORDS.read}, load ${RECORDS.load})`,
      ).argParser(countArgument(1, RECORDS_MAX)),
    )
    .addOption(
      new Option("--duration <DURATION>", "time of each measurement")
        .default(5_000, "5s").argParser(durationArgument),
    )
    .addOption(
      new Option("--rounds <COUNT>", "times that each is measured")
        .default(3).argParser(countArgument(1, ROUNDS_MAX)),
    )
    .addOption(
      new Option("--url <URL>", "measure a running node instead")
        .env("SEALKV_URL"),
    )
    .addOption(accessTokenFileOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (question, options) => {
      const request = await requestOf(services, question, options);
      checkRequest(request);
      const report = await untilStopped(services, request, finish);
      if (report === null) return;
      const text = options.json === true
        ? JSON.stringify(report)
        : tableOf(report);
      services.terminal.out.write(`${text}\n`);
    });
}

/** Options as the command line gave them. */
interface BenchOptions {
  readonly nodes?: 1 | 3 | undefined;
  readonly against: BenchRequest["against"];
  readonly clients?: readonly number[] | undefined;
  readonly valueBytes: number;
  readonly records?: number | undefined;
  readonly duration: number;
  readonly rounds: number;
  readonly url?: string | undefined;
  readonly accessTokenFile?: string | undefined;
}

/** @throws {NodeError} When --url is given and no token is to be had. */
async function requestOf(
  services: Services,
  question: BenchQuestion,
  options: BenchOptions,
): Promise<BenchRequest> {
  const { url, accessTokenFile } = options;
  const given = url === undefined ? null : {
    url,
    accessToken: (await readAccessToken(services, accessTokenFile)).reveal(),
  };
  const isFailover = question === "failover";
  return {
    question,
    given,
    nodes: options.nodes ?? (isFailover ? 3 : 1),
    against: options.against,
    clients: options.clients ??
      (isFailover ? FAILOVER_CLIENTS : CLIENTS_DEFAULT),
    valueBytes: options.valueBytes,
    records: options.records ?? null,
    measureMs: options.duration,
    rounds: options.rounds,
  };
}

/** The report; `null` when a signal ended it and what it had started. */
async function untilStopped(
  services: Services,
  request: BenchRequest,
  finish: (code: ExitCode) => void,
): Promise<BenchReport | null> {
  const { runBench } = await import("./bench_run.ts");
  let report: BenchReport | null = null;
  await untilInterrupted(services.process, async ({ first }) => {
    report = await runBench(services, request, first);
    if (report === null) finish(EXIT.interrupted);
  });
  return report;
}

/** @throws {UsageError} */
function checkRequest({ question, nodes, given }: BenchRequest): void {
  if (question === "failover" && nodes === 1) {
    throw new UsageError(
      "Cannot measure a failover as one node has no other to take over",
      "Leave --nodes out",
    );
  }
  if (given !== null && nodes > 1) {
    throw new UsageError(
      "Cannot start three nodes as --url names one that runs",
      "Leave out --url, and SEALKV_URL, or --nodes",
    );
  }
}

function clientsOption() {
  return new Option(
    "--clients <COUNTS>",
    `callers at once, separated by commas (default: ${CLIENTS_DEFAULT}; ` +
      `failover: ${FAILOVER_CLIENTS})`,
  ).argParser(clientsArgument);
}

function nodesOption() {
  return new Option(
    "--nodes <COUNT>",
    "nodes to start, 1 or 3 (default: 1; failover: 3)",
  ).argParser((text): 1 | 3 => {
    if (text === "1") return 1;
    if (text === "3") return 3;
    throw new InvalidArgumentError("Write 1 or 3.");
  });
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
