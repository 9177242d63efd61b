// deno-lint-ignore-file no-console -- prints what it found
import { seedOptions } from "../seed_options.ts";
import {
  RUN_KINDS,
  type RunKind,
  type RunReport,
  runSeed,
} from "./run_seed.ts";

const SEEDS = 60;

/** Runs seeds of whole nodes; returns the exit code. */
export async function runClusterSeeds(
  args: readonly string[],
): Promise<number> {
  const { seeds, from, isTracing, stops } = seedOptions(args, SEEDS);
  const name = args[args.indexOf("--only") + 1];
  const only = args.includes("--only")
    ? RUN_KINDS.find((kind) => kind === name)
    : null;
  if (only === undefined) {
    console.log(`--only takes one of: ${RUN_KINDS.join(", ")}`);
    return 2;
  }
  const keys = {
    records: 0,
    entries: 0,
    chunks: 0,
    changes: 0,
    refusals: 0,
    rollbacks: 0,
  };
  const totals = { runs: 0, events: 0, operations: 0, undecided: 0 };
  let failures = 0;
  const started = performance.now();
  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await runSeed(`${seed}`, { isTracing, only });
    for (const line of report.lines) console.log(line);
    totals.runs += 1;
    totals.events += report.events;
    totals.operations += report.operations;
    totals.undecided += report.undecided;
    keys.records += report.keys.sealed.record;
    keys.entries += report.keys.sealed.entry;
    keys.chunks += report.keys.sealed.checkpoint;
    keys.changes += report.keys.changes.length;
    keys.refusals += report.keys.refusals;
    keys.rollbacks += report.keys.rollbacks;
    if (report.failure === null) continue;
    failures += 1;
    await printFailure(report, only);
    if (stops) break;
  }
  const seconds = (performance.now() - started) / 1_000;
  const perMinute = (totals.runs / seconds * 60).toFixed(0);
  console.log(
    `${totals.runs} runs, ${totals.events} events, ${totals.operations} ` +
      `operations, ${totals.undecided} histories undecided, ${failures} ` +
      `failures, ${seconds.toFixed(1)} s, ${perMinute} runs a minute`,
  );
  console.log(
    `keys: ${keys.records} records, ${keys.entries} entries and ` +
      `${keys.chunks} chunks sealed, ${keys.changes} changes, ` +
      `${keys.refusals} refused starts and halts, ${keys.rollbacks} rollbacks`,
  );
  return failures === 0 ? 0 : 1;
}

async function printFailure(
  { seed, failure, faults }: RunReport,
  only: RunKind | null,
): Promise<void> {
  console.log(`seed ${seed}: ${failure?.detail}`);
  console.log(`  faults: ${faults.join(", ")}`);
  console.log(`  commit ${await commit()}, replay:`);
  const kind = only === null ? "" : `--only ${only} `;
  console.log(`  deno task sim ${kind}--seeds 1 --from ${seed} --trace`);
}

/** The commit that is checked out, marked when files differ from it. */
async function commit(): Promise<string> {
  const args = ["describe", "--always", "--dirty", "--abbrev=40"];
  const { stdout } = await new Deno.Command("git", { args }).output();
  return new TextDecoder().decode(stdout).trim() || "unknown";
}
