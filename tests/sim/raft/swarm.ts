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
    readonly relay: number;
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

/**
 * Draws a run: each fault is absent about half of the time. Each part has dice
 * of its own, so that a new part leaves the others as they were.
 */
export function drawSwarm(dice: Dice): Swarm {
  const draw = <T>(label: string, items: readonly T[]) =>
    dice.split(label).pick(items);
  const rate = (label: string, ...rates: readonly number[]) => {
    const own = dice.split(label);
    return own.chance(0.5) ? 0 : own.pick(rates);
  };
  const messageBytesMax = draw("messageBytesMax", [0, 0, 40, 200, 1_000_000]);
  const reportsLost = rate("reportsLost", 0.3, 1);
  return {
    mode: draw("mode", ["sync", "async", "core", "core", "mixed"] as const),
    cachedEntries: draw("cachedEntries", [1, 5, 1_000_000]),
    voters: draw("voters", [1, 2, 3, 3, 3, 4, 5]),
    learners: draw("learners", [0, 0, 1]),
    eagerMachine: dice.split("eagerMachine").chance(0.5),
    core: {
      electionTicks: draw("electionTicks", [5, 10]),
      preVote: dice.split("preVote").chance(0.5),
      checkQuorum: dice.split("checkQuorum").chance(0.5),
      stepDownOnRemoval: dice.split("stepDownOnRemoval").chance(0.7),
      messageBytesMax,
      applyBytesMax: draw("applyBytesMax", [1, 60, 1_000_000]),
      uncommittedBytesMax: draw("uncommittedBytesMax", [30, 100, 1_000_000]),
      inflightCountMax: draw("inflightCountMax", [1, 2, 3, 64]),
      inflightBytesMax: dice.split("inflightBytesMax").chance(0.5)
        ? 0
        : messageBytesMax + 50,
      snapshotTicksMax: reportsLost > 0
        ? 40
        : draw("snapshotTicksMax", [0, 40]),
    },
    net: {
      loss: rate("loss", 0.01, 0.1, 0.3),
      duplication: rate("duplication", 0.05, 0.2),
      replay: rate("replay", 0.02, 0.1),
      delayMs: draw("netDelayMs", [0.5, 3, 15]),
      reportsLost,
    },
    disk: {
      delayMs: draw("diskDelayMs", [0.1, 2, 20]),
      applyDelayMs: draw("applyDelayMs", [0.1, 2, 40]),
      crashInWrite: rate("crashInWrite", 0.002, 0.02),
    },
    clock: { skew: draw("skew", [0, 0.05, 0.5]) },
    rates: {
      propose: draw("propose", [5, 20, 100]),
      burst: rate("burst", 1, 4),
      read: rate("read", 5, 30),
      crash: rate("crash", 0.5, 2, 5),
      crashLeader: rate("crashLeader", 0.5, 2),
      partition: rate("partition", 0.5, 2),
      isolateLeader: rate("isolateLeader", 0.5, 2),
      relay: rate("relay", 2, 8),
      typeCut: rate("typeCut", 0.5, 2),
      pause: rate("pause", 0.5, 2),
      confChange: rate("confChange", 1, 4),
      poison: rate("poison", 1),
      transfer: rate("transfer", 0.5, 3),
      checkpoint: rate("checkpoint", 1, 5, 20),
      forget: rate("forget", 1),
      campaign: rate("campaign", 0.5, 3),
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
