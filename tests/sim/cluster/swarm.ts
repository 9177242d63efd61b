import type { Dice } from "../raft/dice.ts";
import { keyKindsOf, type KeySwarm } from "./encryption/key_swarm.ts";
import type { NetworkDelays } from "./network.ts";

/** Faults by kind: mean virtual seconds between two, 0 for none of the kind. */
export const FAULT_KINDS = [
  "reset",
  "partition",
  "isolate-leader",
  "leader-with-one",
  "hold",
  "drift",
  "jump",
  "crash",
  "crash-in-operation",
  "crash-in-transfer",
  "crash-all",
  "restart",
  "fail-sync",
  "fail-store",
  "no-space",
  "damage-read",
  "slow-disk",
  "empty-disk",
  "member",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What one run is like. */
export interface Swarm {
  readonly members: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly segmentBytes: number;
  readonly compactAfterBytes: number;
  readonly trailingEntries: number;
  readonly readLease: boolean;
  readonly delays: NetworkDelays;
  readonly everySeconds: Readonly<Record<FaultKind, number>>;
  readonly clients: number;
  /** Mean time between two operations of a client. */
  readonly thinkMs: number;
  /** `null`: nobody is told about encryption. */
  readonly keys: KeySwarm | null;
}

/** Seconds between two faults of a kind in a run that has it, on average. */
const MEANS: Readonly<Record<FaultKind, number>> = {
  "reset": 3,
  "partition": 8,
  "isolate-leader": 10,
  "leader-with-one": 10,
  "hold": 8,
  "drift": 10,
  "jump": 10,
  "crash": 8,
  "crash-in-operation": 6,
  "crash-in-transfer": 1,
  "crash-all": 25,
  "restart": 12,
  "fail-sync": 15,
  "fail-store": 20,
  "no-space": 20,
  "damage-read": 20,
  "slow-disk": 12,
  "empty-disk": 40,
  "member": 5,
};

/** Draws a run: each kind of fault is in about half of them. */
export function drawSwarm(
  dice: Dice,
  membersMax: number,
  keys: KeySwarm | null,
): Swarm {
  const every = {} as Record<FaultKind, number>;
  const intensity = dice.pick([0.5, 1, 2]);
  for (const kind of FAULT_KINDS) {
    every[kind] = dice.chance(0.5) ? MEANS[kind] / intensity : 0;
  }
  const heartbeatMs = dice.pick([50, 100]);
  return {
    members: Math.min(membersMax, dice.chance(0.2) ? 5 : 3),
    heartbeatMs,
    electionMs: heartbeatMs * dice.pick([5, 10, 10]),
    segmentBytes: dice.pick([4, 8, 32]) * 1_024,
    compactAfterBytes: dice.pick([1, 4, 16, 1_024]) * 1_024,
    trailingEntries: dice.pick([0, 3, 30, 300]),
    readLease: dice.chance(0.5),
    delays: dice.pick([
      { baseMs: 0.1, meanMs: 0.3 },
      { baseMs: 0.5, meanMs: 2 },
      { baseMs: 5, meanMs: 15 },
    ]),
    everySeconds: every,
    clients: dice.between(2, 5),
    thinkMs: dice.pick([60, 150, 500]),
    keys,
  };
}

/** Names of the kinds that a run has. */
export function kindsOf({ everySeconds, keys }: Swarm): readonly string[] {
  const kinds = FAULT_KINDS.filter((kind) => everySeconds[kind] > 0);
  return [...kinds, ...keyKindsOf(keys)];
}
