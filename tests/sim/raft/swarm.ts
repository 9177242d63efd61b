import type { Dice } from "./dice.ts";

/** Length of a member's tick in virtual milliseconds. */
export const TICK_MS = 10;

/** How members drive their cores: by which surface of it. */
export type Mode = "sync" | "async" | "core";

/**
 * Which faults a run has and how strong they are. Rates are events per virtual
 * second over the whole group, chances are per message or write.
 */
export interface Swarm {
  readonly mode: Mode | "mixed";
  /** Entries at the end of the log that are in memory, for mode "core". */
  readonly cachedEntries: number;
  readonly voters: number;
  readonly learners: number;
  /** Whether the state machine is durable entry by entry. */
  readonly eagerMachine: boolean;
  readonly core: {
    readonly electionTicks: number;
    readonly preVote: boolean;
    readonly checkQuorum: boolean;
    readonly stepDownOnRemoval: boolean;
    readonly messageBytesMax: number;
    readonly applyBytesMax: number;
    readonly uncommittedBytesMax: number;
    readonly inflightCountMax: number;
    readonly inflightBytesMax: number;
    readonly snapshotTicksMax: number;
  };
  readonly net: {
    readonly loss: number;
    readonly duplication: number;
    readonly replay: number;
    readonly delayMs: number;
    readonly reportsLost: number;
  };
  readonly disk: {
    readonly delayMs: number;
    readonly applyDelayMs: number;
    readonly crashInWrite: number;
  };
  readonly clock: { readonly skew: number };
  readonly rates: {
    readonly propose: number;
    readonly burst: number;
    readonly read: number;
    readonly crash: number;
    readonly crashLeader: number;
    readonly partition: number;
    readonly isolateLeader: number;
    readonly typeCut: number;
    readonly pause: number;
    readonly confChange: number;
    readonly poison: number;
    readonly transfer: number;
    readonly checkpoint: number;
    readonly forget: number;
    readonly campaign: number;
  };
}

/** Draws a run: each fault is absent about half of the time. */
export function drawSwarm(dice: Dice): Swarm {
  const rate = (...rates: readonly number[]) =>
    dice.chance(0.5) ? 0 : dice.pick(rates);
  const messageBytesMax = dice.pick([0, 0, 40, 200, 1_000_000]);
  const reportsLost = rate(0.3, 1);
  return {
    mode: dice.pick(["sync", "async", "core", "core", "mixed"] as const),
    cachedEntries: dice.pick([1, 5, 1_000_000]),
    voters: dice.pick([1, 2, 3, 3, 3, 4, 5]),
    learners: dice.pick([0, 0, 1]),
    eagerMachine: dice.chance(0.5),
    core: {
      electionTicks: dice.pick([5, 10]),
      preVote: dice.chance(0.5),
      checkQuorum: dice.chance(0.5),
      stepDownOnRemoval: dice.chance(0.7),
      messageBytesMax,
      applyBytesMax: dice.pick([1, 60, 1_000_000]),
      uncommittedBytesMax: dice.pick([30, 100, 1_000_000]),
      inflightCountMax: dice.pick([1, 2, 3, 64]),
      inflightBytesMax: dice.chance(0.5) ? 0 : messageBytesMax + 50,
      snapshotTicksMax: reportsLost > 0 ? 40 : dice.pick([0, 40]),
    },
    net: {
      loss: rate(0.01, 0.1, 0.3),
      duplication: rate(0.05, 0.2),
      replay: rate(0.02, 0.1),
      delayMs: dice.pick([0.5, 3, 15]),
      reportsLost,
    },
    disk: {
      delayMs: dice.pick([0.1, 2, 20]),
      applyDelayMs: dice.pick([0.1, 2, 40]),
      crashInWrite: rate(0.002, 0.02),
    },
    clock: { skew: dice.pick([0, 0.05, 0.5]) },
    rates: {
      propose: dice.pick([5, 20, 100]),
      burst: rate(1, 4),
      read: rate(5, 30),
      crash: rate(0.5, 2, 5),
      crashLeader: rate(0.5, 2),
      partition: rate(0.5, 2),
      isolateLeader: rate(0.5, 2),
      typeCut: rate(0.5, 2),
      pause: rate(0.5, 2),
      confChange: rate(1, 4),
      poison: rate(1),
      transfer: rate(0.5, 3),
      checkpoint: rate(1, 5, 20),
      forget: rate(1),
      campaign: rate(0.5, 3),
    },
  };
}

/** The network of the last phase. */
export const CALM_NET: Swarm["net"] = {
  loss: 0,
  duplication: 0,
  replay: 0,
  delayMs: 0.5,
  reportsLost: 0,
};

/** The disk of the last phase. */
export const CALM_DISK: Swarm["disk"] = {
  delayMs: 0.5,
  applyDelayMs: 0.5,
  crashInWrite: 0,
};
