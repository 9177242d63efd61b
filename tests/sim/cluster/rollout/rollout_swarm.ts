import type { Dice } from "../../raft/dice.ts";
import type { KeySwarm } from "../encryption/key_swarm.ts";

/** What a rollout is like in one run. */
export interface RolloutSwarm {
  /** Steps of the ladder that are taken before anything goes wrong. */
  readonly stepsFirst: number;
  /** Of steps that are asked for, how many are the next one of the ladder. */
  readonly nextChance: number;
}

const PUT_BACK_CHANCE = 0.1;

/** Draws a run in which a cluster is taken up the ladder, against all odds. */
export function drawRolloutSwarm(dice: Dice): KeySwarm {
  const isPuttingBack = dice.chance(PUT_BACK_CHANCE);
  return {
    kekCount: dice.chance(0.5) ? 2 : 1,
    everySeconds: {
      "kek-down": dice.chance(0.3) ? 9 : 0,
      "wrong-kek": dice.chance(0.4) ? dice.pick([6, 12]) : 0,
      "encryption": dice.pick([0.4, 1, 2.5]),
      "put-back": isPuttingBack ? 6 : 0,
    },
    sealMs: 2_000,
    hasKeysFirst: dice.chance(0.6),
    rollout: {
      stepsFirst: dice.pick([0, 0, 1, 2, 3, 5]),
      nextChance: dice.pick([0.3, 0.6]),
    },
  };
}
