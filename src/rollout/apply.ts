import type { AdminClient } from "../admin/client.ts";
import type { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import type { RunEvent } from "./run.ts";
import type { RolloutChoices } from "./snapshot.ts";
import type { RolloutPlan, RolloutStep, StepId } from "./step.ts";

export interface ApplyOptions {
  readonly clock: Clock;
  readonly choices: RolloutChoices;
  /** The cluster's name; one-way steps want it. */
  readonly confirm: string;
  /** Last step to take. */
  readonly until: StepId;
  /** Longest wait for a dwell to be over, in ms; 0: none. */
  readonly waitMs: number;
  /** Ends the rollout before its next command, and the look at this one. */
  readonly signal: AbortSignal;
}

export type ApplyEvent =
  /** The plan before each step, and at the end. */
  | { readonly kind: "plan"; readonly plan: RolloutPlan }
  /** It is taken now. */
  | { readonly kind: "step"; readonly step: RolloutStep; readonly atMs: number }
  | {
    readonly kind: "run";
    readonly step: StepId;
    readonly event: RunEvent;
  }
  | {
    readonly kind: "dwelling";
    readonly step: StepId;
    readonly untilMs: number;
    readonly atMs: number;
  }
  /** The last one. */
  | { readonly kind: "ended"; readonly end: ApplyEnd; readonly atMs: number };

export type ApplyEnd =
  | { readonly kind: "done" }
  | { readonly kind: "interrupted" }
  /** A check of the step fails, or a command did; nothing after it was asked. */
  | {
    readonly kind: "stopped";
    readonly step: StepId;
    readonly error: NodeError;
  };

/** Takes step after step until `until`; stops at the first failed check. */
export async function* applyRollout(
  _client: AdminClient,
  _options: ApplyOptions,
): AsyncGenerator<ApplyEvent, void> {
  throw new Error("not written yet");
}
