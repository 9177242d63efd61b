import { SimFailure } from "../raft/checkers.ts";
import { Dice } from "../raft/dice.ts";
import { MEMBERS_MAX, openProductNode, type OpenSimNode } from "./sim_node.ts";
import { useTurnCrypto } from "../io/subtle.ts";
import { drawKeySwarm, type KeySwarm } from "./encryption/key_swarm.ts";
import { NonceLedger, type SealKind } from "./encryption/nonce_ledger.ts";
import type { Past } from "./host.ts";
import { drawRolloutSwarm } from "./rollout/rollout_swarm.ts";
import { slowCrypto } from "./rollout/slow_crypto.ts";
import { drawSwarm, kindsOf } from "./swarm.ts";
import { World } from "./world.ts";

/** What came of keys in one run. */
export interface KeyReport {
  readonly seals: number;
  /** What members sealed, by kind. */
  readonly sealed: Readonly<Record<SealKind, number>>;
  /** Changes that were carried out, by kind. */
  readonly changes: readonly string[];
  /** Starts and lives that ended as they had to. */
  readonly refusals: number;
  /** Disks put back that were named. */
  readonly rollbacks: number;
}

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
  readonly keys: KeyReport;
  /** Of all disks, where that was asked for. */
  readonly clone: Past | null;
  /** The rule that was broken; `null` for a good run. */
  readonly failure: { readonly check: string; readonly detail: string } | null;
}

/** Runs of one kind alone. */
export const RUN_KINDS = ["rollout"] as const;
export type RunKind = (typeof RUN_KINDS)[number];

export interface RunSeedOptions {
  readonly only?: RunKind | null;
  readonly isTracing?: boolean;
  readonly open?: OpenSimNode;
  readonly members?: number;
  readonly onlyHistory?: boolean;
  /** Instead of what the seed draws; `null` for none. */
  readonly keys?: KeySwarm | null;
  readonly ledger?: NonceLedger;
  /** Instead of empty disks, in a swarm of the seed that had them. */
  readonly past?: Past & { readonly seed: string };
  readonly cloneAtMs?: number;
}

/** Runs one seed; a failure is a value, so that many seeds can be counted. */
export async function runSeed(
  seed: string,
  options: RunSeedOptions = {},
): Promise<RunReport> {
  const { isTracing = false, onlyHistory = false } = options;
  const open = options.open ?? openProductNode;
  const { members = MEMBERS_MAX, past = null, cloneAtMs = null } = options;
  const dice = new Dice(`${past?.seed ?? seed}/swarm`);
  const swarm = drawSwarm(dice, members, keysOf(seed, options));
  const ledger = options.ledger ?? new NonceLedger();
  const world = new World(seed, {
    ...{ swarm, open, isTracing, onlyHistory, ledger, past, cloneAtMs },
  });
  let failure: RunReport["failure"] = null;
  const turn = useTurnCrypto(
    (key, nonce, aad) => ledger.see(key, nonce, aad),
    slowCrypto(
      world.dice.split("crypto"),
      swarm.keys?.rollout?.cryptoMs ?? 0,
    ),
  );
  try {
    await world.run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const check = error instanceof SimFailure ? error.check : error.name;
    failure = {
      check,
      detail: error instanceof SimFailure ? error.message : `${error.stack}`,
    };
  } finally {
    turn.undo();
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
    keys: {
      seals: world.keyWatch?.seals ?? 0,
      sealed: { ...ledger.counts },
      changes: world.keyOperator?.done ?? [],
      refusals: world.keyWatch?.refusals ?? 0,
      rollbacks: world.keyWatch?.rollbacks ?? 0,
    },
    clone: world.clone,
    failure,
  };
}

/** Toys know of no encryption. */
function keysOf(
  seed: string,
  { keys, open, only }: RunSeedOptions,
): KeySwarm | null {
  if (keys !== undefined) return keys;
  if (only === "rollout") return drawRolloutSwarm(new Dice(`${seed}/rollout`));
  if (open !== undefined) return null;
  return drawKeySwarm(new Dice(`${seed}/keys`));
}
