// deno-lint-ignore-file no-console -- prints what it found
import { seedOptions } from "../seed_options.ts";
import { type RunReport, runSeed } from "./run_seed.ts";

const SEEDS = 60;

/** Runs seeds of whole nodes; returns the exit code. */
export async function runClusterSeeds(
  args: readonly string[],
): Promise<number> {
  const { seeds, from, isTracing, stops } = seedOptions(args, SEEDS);
  const keys = { seals: 0, changes: 0, refusals: 0, rollbacks: 0 };
  const totals = { runs: 0, events: 0, operations: 0, undecided: 0 };
  let failures = 0;
  const started = performance.now();
  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await runSeed(`${seed}`, { isTracing });
    for (const line of report.lines) console.log(line);
    totals.runs += 1;
    totals.events += report.events;
    totals.operations += report.operations;
    totals.undecided += report.undecided;
    keys.seals += report.keys.seals;
    keys.changes += report.keys.changes.length;
    keys.refusals += report.keys.refusals;
    keys.rollbacks += report.keys.rollbacks;
    if (report.failure === null) continue;
    failures += 1;
    await printFailure(report);
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
    `keys: ${keys.seals} seals, ${keys.changes} changes, ` +
      `${keys.refusals} refused starts and halts, ${keys.rollbacks} rollbacks`,
  );
  return failures === 0 ? 0 : 1;
}

async function printFailure({ seed, failure, faults }: RunReport) {
  console.log(`seed ${seed}: ${failure?.detail}`);
  console.log(`  faults: ${faults.join(", ")}`);
  console.log(`  commit ${await commit()}, replay:`);
  console.log(`  deno task sim --seeds 1 --from ${seed} --trace`);
}

/** The commit that is checked out, marked when files differ from it. */
async function commit(): Promise<string> {
  const args = ["describe", "--always", "--dirty", "--abbrev=40"];
  const { stdout } = await new Deno.Command("git", { args }).output();
  return new TextDecoder().decode(stdout).trim() || "unknown";
}
