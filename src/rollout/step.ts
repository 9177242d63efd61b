import type { ClusterTask } from "../admin/client.ts";
import type { Check } from "./check.ts";

/** The ladder, bottom first. The last two recur for the life of a cluster. */
export const STEP_IDS = [
  "capability",
  "storage",
  "rewrite",
  "seal",
  "raft",
  "scrub",
  "rotate",
  "retire",
] as const;

export type StepId = typeof STEP_IDS[number];

/** Steps that commands take, and that do not recur. */
export const LADDER_STEPS = [
  "storage",
  "rewrite",
  "seal",
  "raft",
  "scrub",
] as const satisfies readonly StepId[];

export type LadderStep = typeof LADDER_STEPS[number];

/**
 * - `done`: it holds, as the cluster says now;
 * - `ready`: all that blocks is passed;
 * - `blocked`: a check fails, or a step before it is not done;
 * - `running`: members are at it, whoever asked for it;
 * - `failed`: it was tried and stands still; `detail` says why.
 */
export type StepState = "done" | "ready" | "blocked" | "running" | "failed";

/** What never changes about a step; texts for people. */
export interface StepFacts {
  readonly id: StepId;
  /** At most 18 characters. */
  readonly title: string;
  readonly isOneWay: boolean;
  /** What it does. */
  readonly does: string;
  /** How it is undone, or that it is not. */
  readonly undo: string;
  /** What users of the cluster notice. */
  readonly noticed: string;
}

/** How far a step is; what is known of it differs by step. */
export interface StepProgress {
  /** One per member, in the order of the status; empty when unknown. */
  readonly tasks: readonly ClusterTask[];
  /** A rewrite that someone paused. */
  readonly isPaused: boolean;
  /** Of values, on each member; 0 for no bound, `null` when it has none. */
  readonly bytesPerSecond: bigint | null;
}

/** One rung as it stands in one snapshot. */
export interface RolloutStep extends StepFacts {
  readonly state: StepState;
  /** One line: why it is in this state, or how far it is. */
  readonly detail: string;
  readonly checks: readonly Check[];
  /**
   * Command lines that carry it out, as a shell takes them, in order; never
   * empty. Those that want a choice have it made.
   */
  readonly commands: readonly string[];
  /** `null` but while it runs. */
  readonly progress: StepProgress | null;
}

/** The whole ladder as it stands in one snapshot. */
export interface RolloutPlan {
  /** "" until the cluster has a name. */
  readonly cluster: string;
  /** "" when nobody leads. */
  readonly leader: string;
  readonly term: bigint;
  readonly phase: number;
  /** Unix ms of the snapshot, by the clock of who asked. */
  readonly atMs: number;
  /** In the order of STEP_IDS. */
  readonly steps: readonly RolloutStep[];
  /** First step that is not done; `null` when all but the last two are. */
  readonly next: StepId | null;
}
