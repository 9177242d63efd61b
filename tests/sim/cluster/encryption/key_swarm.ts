import type { Dice } from "../../raft/dice.ts";
import type { RolloutSwarm } from "../rollout/rollout_swarm.ts";

/** What happens to keys, by kind. */
export const KEY_FAULT_KINDS = [
  /** The provider of KEKs does not answer, for all or for one host. */
  "kek-down",
  /** A host is started with other KEKs, or without encryption. */
  "wrong-kek",
  /** An operator asks for a change of encryption. */
  "encryption",
  /** The image of a disk, taken a while before, is put back. */
  "put-back",
] as const;
export type KeyFaultKind = (typeof KEY_FAULT_KINDS)[number];

/** What encryption is like in one run. */
export interface KeySwarm {
  readonly kekCount: 1 | 2;
  /** Mean virtual seconds between two of a kind, 0 for none of it. */
  readonly everySeconds: Readonly<Record<KeyFaultKind, number>>;
  /** Mean time between two seals of a host. */
  readonly sealMs: number;
  /** Whether the first keys are drawn before anything goes wrong. */
  readonly hasKeysFirst: boolean;
  /** `null`: nobody asks for a step of the ladder. */
  readonly rollout: RolloutSwarm | null;
}

const MEANS: Readonly<Record<KeyFaultKind, number>> = {
  "kek-down": 9,
  "wrong-kek": 6,
  "encryption": 1.2,
  "put-back": 6,
};
const PUT_BACK_CHANCE = 0.1;

/** Draws whether and how a run has encryption: most have it. */
export function drawKeySwarm(dice: Dice): KeySwarm | null {
  if (dice.chance(0.15)) return null;
  const kekCount = dice.chance(0.5) ? 2 : 1;
  const intensity = dice.pick([0.5, 1, 2]);
  const has = (kind: KeyFaultKind, chance: number) =>
    dice.chance(chance) ? MEANS[kind] / intensity : 0;
  const everySeconds = {
    "kek-down": has("kek-down", 0.4),
    "wrong-kek": has("wrong-kek", 0.5),
    "encryption": has("encryption", 0.9),
    "put-back": has("put-back", PUT_BACK_CHANCE),
  };
  // A new key has no past that could be put back.
  if (everySeconds["put-back"] > 0) everySeconds.encryption *= 10;
  return {
    kekCount,
    everySeconds,
    sealMs: dice.pick([200, 600, 2_000]),
    hasKeysFirst: dice.chance(0.6),
    rollout: null,
  };
}

/** Whether members forget in it what they have promised. */
export function forgets(keys: KeySwarm | null): boolean {
  return keys !== null && keys.everySeconds["put-back"] > 0;
}

/** Names of the kinds that a run has. */
export function keyKindsOf(keys: KeySwarm | null): readonly string[] {
  if (keys === null) return ["no keys"];
  const kinds = KEY_FAULT_KINDS.filter((kind) => keys.everySeconds[kind] > 0);
  return keys.rollout === null ? kinds : [...kinds, "rollout"];
}
