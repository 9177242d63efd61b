import type { Dice } from "../../raft/dice.ts";
import type { KeySwarm } from "../encryption/key_swarm.ts";

/** What a rollout is like in one run. */
export interface RolloutSwarm {
  /** Steps of the ladder that are taken before anything goes wrong. */
  readonly stepsFirst: number;
  /** Of steps that are asked for, how many are the next one of the ladder. */
  readonly nextChance: number;
  /** Mean virtual ms of a seal or an opening; 0 for none. */
  readonly cryptoMs: number;
  /** Of marks that clients write, how many end by themselves. */
  readonly endingChance: number;
  /** Of moments that matter to a cutover, in how many something goes wrong. */
  readonly aimChance: number;
  /** Of checkpoints on their way; 0 for no bound. */
  readonly checkpointRate: number;
  /** Whether members are started to rotate keys. */
  readonly rotateOnStart: boolean;
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
      cryptoMs: dice.pick([0, 0, 0.2, 2, 20]),
      endingChance: dice.pick([0, 0.5]),
      aimChance: dice.pick([0, 0.3, 0.7]),
      checkpointRate: dice.pick([0, 0, 1_500]),
      rotateOnStart: dice.chance(0.15),
    },
  };
}
