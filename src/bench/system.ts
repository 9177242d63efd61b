import type { Client } from "./load.ts";
import type { Contender, ContenderRun, LoadShape } from "./rounds.ts";

/** One system under test, asked in one or several ways. */
export interface System {
  /** Sets records 0 until `records`, for reads. */
  load(records: number): Promise<void>;
  writers(): readonly Contender[];
  readers(records: number): readonly Contender[];
  /** What was left out, and why. */
  readonly remarks: readonly string[];
}

/** A system whose members can be asked one by one. */
export interface ClusterSystem extends System {
  /** A connection of its own that sets a random record per request. */
  writer(member: number): Promise<Client>;
}

/** Loads a system from a process of its own. */
export type ForeignLoad = (
  address: string,
  shape: LoadShape,
) => Promise<ContenderRun>;

export const QUESTIONS_OF = {
  set: (bytes: number) => `set of ${bytes} B`,
  strong: (bytes: number) => `strong get of ${bytes} B`,
  eventual: (bytes: number) => `eventual get of ${bytes} B`,
} as const;
