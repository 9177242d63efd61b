/**
 * How often a test that draws its cases runs them: `count` times, or as many
 * times more as RUNS_FACTOR says, as `RUNS_FACTOR=10 deno task test:unit`.
 */
export function runCount(count: number): number {
  return Math.ceil(count * Number(Deno.env.get("RUNS_FACTOR") ?? 1));
}
