import { SimFailure } from "../raft/checkers.ts";
import { Dice } from "../raft/dice.ts";
import { MEMBERS_MAX, openProductNode, type OpenSimNode } from "./sim_node.ts";
import { drawSwarm, kindsOf } from "./swarm.ts";
import { World } from "./world.ts";

/** What one run was like. */
export interface RunReport {
  readonly seed: string;
  /** Over all that happened, in order: equal for equal runs. */
  readonly hash: string;
  readonly events: number;
  readonly answered: number;
  readonly operations: number;
  readonly undecided: number;
  readonly faults: readonly string[];
  readonly lines: readonly string[];
  /** The rule that was broken; `null` for a good run. */
  readonly failure: { readonly check: string; readonly detail: string } | null;
}

export interface RunSeedOptions {
  readonly isTracing?: boolean;
  readonly open?: OpenSimNode;
  readonly members?: number;
  readonly onlyHistory?: boolean;
}

/** Runs one seed; a failure is a value, so that many seeds can be counted. */
export async function runSeed(
  seed: string,
  options: RunSeedOptions = {},
): Promise<RunReport> {
  const { isTracing = false, onlyHistory = false } = options;
  const open = options.open ?? openProductNode;
  const dice = new Dice(`${seed}/swarm`);
  const swarm = drawSwarm(dice, options.members ?? MEMBERS_MAX);
  const world = new World(seed, { swarm, open, isTracing, onlyHistory });
  let failure: RunReport["failure"] = null;
  try {
    await world.run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const check = error instanceof SimFailure ? error.check : error.name;
    failure = {
      check,
      detail: error instanceof SimFailure ? error.message : `${error.stack}`,
    };
  }
  for (const { life } of world.hosts) life?.end();
  return {
    seed,
    hash: world.hash.toString(16),
    events: world.events,
    answered: world.answers.answeredCount,
    operations: world.history.size,
    undecided: world.history.undecided,
    faults: kindsOf(swarm),
    lines: world.lines,
    failure,
  };
}
