// deno-lint-ignore-file no-console -- prints what it found
import { isFailure, runSeed } from "./raft/run_seed.ts";

/** `deno task sim [--seeds N] [--from S] [--events N] [--trace] [--stop]`. */
function main(args: readonly string[]): number {
  const seeds = numberOf(args, "--seeds", 200);
  const from = numberOf(args, "--from", 1);
  const eventsMax = numberOf(args, "--events", 4_000);
  const isTracing = args.includes("--trace");
  let [events, commits, failures] = [0, 0, 0];
  const started = performance.now();
  for (let seed = from; seed < from + seeds; seed += 1) {
    const outcome = runSeed(`${seed}`, { eventsMax, isTracing });
    if (isFailure(outcome)) {
      failures += 1;
      for (const line of outcome.lines) console.log(line);
      console.log(`seed ${seed}: ${outcome.check}: ${outcome.detail}`);
      console.log(`  deno task sim --seeds 1 --from ${seed} --trace`);
      if (args.includes("--stop")) return 1;
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

function numberOf(
  args: readonly string[],
  name: string,
  otherwise: number,
): number {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : Number(args[at + 1]);
}

Deno.exitCode = main(Deno.args);
