import { SimFailure } from "./checkers.ts";
import { Group, type RunOptions, type RunResult } from "./group.ts";

/** A run that broke a rule, with what is needed to see it again. */
export interface RunFailure {
  readonly seed: string;
  /** Name of the rule. */
  readonly check: string;
  readonly detail: string;
  /** Last lines of what happened, when traced. */
  readonly lines: readonly string[];
}

/** Runs one seed; a failure is a value, so that many seeds can be counted. */
export function runSeed(
  seed: string,
  options: RunOptions,
): RunResult | RunFailure {
  let group: Group | null = null;
  try {
    group = new Group(seed, options);
    return group.run(options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const lines = group?.lines ?? [];
    const check = error instanceof SimFailure ? error.check : error.name;
    const detail = options.isTracing === true && error.stack !== undefined
      ? error.stack
      : error.message;
    return { seed, check, detail, lines };
  }
}

export function isFailure(
  outcome: RunResult | RunFailure,
): outcome is RunFailure {
  return "check" in outcome;
}
