/** Which seeds to run, as both simulators take it from the command line. */
export interface SeedOptions {
  readonly seeds: number;
  readonly from: number;
  readonly isTracing: boolean;
  /** At the first failure. */
  readonly stops: boolean;
}

export function seedOptions(
  args: readonly string[],
  seedsDefault: number,
): SeedOptions {
  return {
    seeds: numberOf(args, "--seeds", seedsDefault),
    from: numberOf(args, "--from", 1),
    isTracing: args.includes("--trace"),
    stops: args.includes("--stop"),
  };
}

export function numberOf(
  args: readonly string[],
  name: string,
  otherwise: number,
): number {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : Number(args[at + 1]);
}
