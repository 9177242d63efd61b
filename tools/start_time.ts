import { print } from "./print.ts";

const RUNS = 9;

/** Median time of `BINARY version`, from start to exit. */
async function main([binary]: readonly string[]): Promise<void> {
  if (binary === undefined) throw new TypeError("usage: start_time.ts BINARY");
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const started = performance.now();
    const { success } = await new Deno.Command(binary, {
      args: ["version"],
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) throw new Error(`"${binary} version" failed`);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const median = times[(RUNS - 1) / 2] as number;
  print(`${binary}: starts in ${Math.round(median)} ms (median of ${RUNS})`);
}

if (import.meta.main) await main(Deno.args);
