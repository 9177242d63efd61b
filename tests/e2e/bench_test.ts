/*
 * Goal: every measurement that the README quotes can be asked by anybody.
 * Method: each `sealkv bench` and each bench of a cluster as short as it gets;
 * the report has a row for each system and figures that can be true. Parts
 * that need etcd are skipped where it is not installed.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  ACCESS_TOKEN,
  bareEnvironment,
  NodeProcess,
  sealkvCommand,
} from "./node_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SHORT = [
  ...["--json", "--clients", "2", "--duration", "1s"],
  ...["--rounds", "2", "--records", "500"],
];
/** The binary may not start programs: only `--url` can be asked of it. */
const isSource = Deno.env.get("SEALKV_BIN") === undefined;
const hasEtcd = isInstalled("etcd");

function isInstalled(program: string): boolean {
  try {
    const command = new Deno.Command(program, { args: ["--version"] });
    return command.outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

interface Row {
  readonly system: string;
  readonly question: string;
  readonly clients: number;
  readonly figures: Readonly<
    Record<"count" | "perSecond" | "p50Ms" | "p99Ms", number>
  >;
  readonly costs?: Readonly<Record<"syncs" | "logBytes", number | null>>;
}

interface Report {
  readonly bench: string;
  readonly machine: string;
  readonly rows: readonly Row[];
  readonly comparisons?: readonly {
    readonly ours: string;
    readonly theirs: string;
    readonly perSecondOfRounds: readonly number[];
  }[];
  readonly notes: Readonly<Record<string, number>>;
}

interface Asked {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function ask(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Asked> {
  const home = await Deno.makeTempDir({ prefix: "sealkv-bench-home-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...bareEnvironment(home), TMPDIR: home, ...env },
    }).output();
    const left = [...Deno.readDirSync(home)].map(({ name }) => name);
    deepEqual(left.filter((name) => name.startsWith("sealkv-bench-")), []);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function reportOf(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Report> {
  const { code, stdout, stderr } = await ask(command, env);
  equal(code, 0, stderr);
  const report: Report = JSON.parse(stdout);
  for (const { figures } of report.rows) {
    ok(figures.count > 0 && figures.perSecond > 0);
    ok(figures.p50Ms > 0 && figures.p50Ms <= figures.p99Ms);
  }
  return report;
}

function systemsOf({ rows }: Report): string[] {
  return rows.map(({ system }) => system);
}

const bench = [...sealkvCommand(), "bench"] as const;
const source = (file: string) =>
  [Deno.execPath(), "run", "-A", "--quiet", `${ROOT}bench/${file}`] as const;

for (const question of ["write", "read"]) {
  Deno.test(`bench ${question} measures a running node and a local file`, async () => {
    await using node = await NodeProcess.start();
    const command = [...bench, question, ...SHORT, "--url", node.url] as const;
    const env = { SEALKV_ACCESS_TOKEN: ACCESS_TOKEN };
    const report = await reportOf(command, env);
    equal(report.bench, question);
    deepEqual(systemsOf(report), ["sealkv", "Deno.openKv file"]);
    ok(report.rows.every(({ clients }) => clients === 2));
    equal(report.comparisons?.[0]?.perSecondOfRounds.length, 2);
  });
}

Deno.test("bench write counts syncs and bytes of the log", async () => {
  await using node = await NodeProcess.start();
  const command = [...bench, ...SHORT, "--against", "none"] as const;
  const report = await reportOf([...command, "--url", node.url], {
    SEALKV_ACCESS_TOKEN: ACCESS_TOKEN,
  });
  const [row] = report.rows;
  ok(row?.costs?.syncs && row.costs.syncs > 0 && row.costs.syncs <= 1.1);
  ok(row.costs.logBytes && row.costs.logBytes > 256);
});

Deno.test("bench load starts a node and tells its memory", {
  ignore: !isSource,
}, async () => {
  const report = await reportOf([...bench, "load", ...SHORT]);
  equal(report.notes["records loaded"], 500);
  if (Deno.build.os !== "linux") return;
  ok((report.notes["resident MiB of sealkv, member 1"] ?? 0) > 10);
});

Deno.test("bench failover kills leaders and sees writes go on", {
  ignore: !isSource,
}, async () => {
  const report = await reportOf([...bench, "failover", ...SHORT]);
  const worst = report.notes["sealkv, worst ms"] ?? 0;
  ok(worst > 1 && worst < 60_000, `${worst} ms`);
});

Deno.test("bench without etcd says what to install", {
  ignore: !isSource,
}, async () => {
  const [program, ...args] = bench;
  const found = Deno.execPath();
  const command = [program === "deno" ? found : program, ...args] as const;
  const { code, stderr } = await ask(
    [...command, "--against", "etcd", ...SHORT],
    { PATH: "/nowhere" },
  );
  equal(code, 78, stderr);
  match(stderr, /CLI_PROGRAM_MISSING[^]*apt-get install etcd-server/);
});

Deno.test("bench write measures etcd in three ways (needs etcd)", {
  ignore: !isSource || !hasEtcd,
}, async () => {
  const report = await reportOf([...bench, ...SHORT, "--against", "etcd"]);
  deepEqual(systemsOf(report), ["sealkv", "etcd raw", "etcd3"]);
  for (const { system, costs } of report.rows) {
    ok(costs?.syncs && costs.syncs > 0 && costs.syncs < 2, system);
  }
});

const CLUSTER_BENCHES: [file: string, systems: string[]][] = [
  ["cluster_write.ts", [
    ...["sealkv, leader", "sealkv, spread"],
    ...["etcd raw, leader", "etcd raw, spread", "etcd3"],
  ]],
  ["cluster_read.ts", [
    ...["sealkv, leader", "sealkv, follower"],
    ...["etcd raw, leader", "etcd raw, follower"],
  ]],
];

for (const [file, systems] of CLUSTER_BENCHES) {
  Deno.test(
    `bench/${file} measures three nodes and three of etcd (needs etcd)`,
    {
      ignore: !isSource || !hasEtcd,
    },
    async () => {
      const report = await reportOf([
        ...source(file),
        ...SHORT,
        ...["--rounds", "1"],
      ]);
      deepEqual([...new Set(systemsOf(report))], systems);
      ok(report.comparisons && report.comparisons.length > 0);
    },
  );
}

Deno.test("bench/cluster_cpu.ts shows threads and functions", {
  ignore: !isSource || Deno.build.os !== "linux",
}, async () => {
  const { code, stdout, stderr } = await ask([
    ...source("cluster_cpu.ts"),
    ...["--nodes", "1", "--clients", "2", "--seconds", "1", "--functions"],
  ]);
  equal(code, 0, stderr);
  const report = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  match(report.processes[0].name, /^n1, leader/);
  ok(report.processes[0].threads[0].user > 0);
  ok(report.functions[0].length > 5);
});
