import type { EncryptionOutcome } from "../admin/client.ts";
import type { NodeError } from "../base/error.ts";
import type { StepId, StepProgress } from "./step.ts";

/** What happens while a step is taken, in this order for each command. */
export type RunEvent =
  | { readonly kind: "asked"; readonly command: string; readonly atMs: number }
  | { readonly kind: "progress"; readonly progress: StepProgress }
  | {
    readonly kind: "answered";
    readonly command: string;
    readonly atMs: number;
    readonly outcome: EncryptionOutcome;
  }
  /** The step ends with it. */
  | {
    readonly kind: "failed";
    readonly command: string;
    readonly atMs: number;
    readonly error: NodeError;
  };

/** How a step is to be taken. */
export interface RunTerms {
  /** The cluster's name; one-way steps want it. */
  readonly confirm: string;
  /** Hash of the plan that was looked at; "" for any. */
  readonly planHash: string;
  /** Ends the look, never the step. */
  readonly signal: AbortSignal;
}

export type RunStep = (
  step: StepId,
  terms: RunTerms,
) => AsyncIterable<RunEvent>;
