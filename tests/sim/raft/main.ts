// deno-lint-ignore-file no-console -- prints what it found
import { numberOf, seedOptions } from "../seed_options.ts";
import { isFailure, runSeed } from "./run_seed.ts";

const SEEDS = 200;
const EVENTS_MAX = 4_000;

/** Runs seeds of the raft core alone; returns the exit code. */
export function runRaftSeeds(args: readonly string[]): number {
  const { seeds, from, isTracing, stops } = seedOptions(args, SEEDS);
  const eventsMax = numberOf(args, "--events", EVENTS_MAX);
  let [events, commits, failures] = [0, 0, 0];
  const started = performance.now();
  for (let seed = from; seed < from + seeds; seed += 1) {
    const outcome = runSeed(`${seed}`, { eventsMax, isTracing });
    if (isFailure(outcome)) {
      failures += 1;
      for (const line of outcome.lines) console.log(line);
      console.log(`seed ${seed}: ${outcome.check}: ${outcome.detail}`);
      console.log(`  deno task sim --raft --seeds 1 --from ${seed} --trace`);
      if (stops) return 1;
    } else {
      events += outcome.events;
      commits += outcome.commits;
    }
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(
    `${seeds} seeds, ${events} events, ${commits} commits, ` +
      `${failures} failures, ${seconds} s`,
  );
  return failures === 0 ? 0 : 1;
}
