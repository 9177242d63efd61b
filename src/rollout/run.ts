import type { EncryptionOutcome } from "../admin/client.ts";
import type { NodeError } from "../base/error.ts";
import type { StepCommand } from "./command.ts";
import type { StepId, StepProgress } from "./step.ts";

/** The command that an event is about. */
interface OfCommand {
  /** Its line, as the plan has it; "" when it did not come to one. */
  readonly command: string;
  /** The same as data; `null` when it did not come to one. */
  readonly asked: StepCommand | null;
  /** Unix ms. */
  readonly atMs: number;
}

/** What happens while a step is taken, in this order for each command. */
export type RunEvent =
  | OfCommand & {
    readonly kind: "asked";
    /** Index of the last line of the history before it. */
    readonly afterIndex: bigint;
  }
  | { readonly kind: "progress"; readonly progress: StepProgress }
  | OfCommand & {
    readonly kind: "answered";
    readonly outcome: EncryptionOutcome;
    /** Somebody else did it meanwhile, or it was so before. */
    readonly isOthers: boolean;
  }
  /** The step ends with it. */
  | OfCommand & { readonly kind: "failed"; readonly error: NodeError };

/** How a step is to be taken. */
export interface RunTerms {
  /** The cluster's name; one-way steps want it. */
  readonly confirm: string;
  /**
   * Hash of the plan that was looked at; "" for any. Heeded when the step comes
   * to one command: after that the next one is part of another plan.
   */
  readonly planHash: string;
  /** Ends the look, never the step: no event comes after it. */
  readonly signal: AbortSignal;
  /** Only this command of the step, by its line; left out: all of them. */
  readonly only?: string;
}

export type RunStep = (
  step: StepId,
  terms: RunTerms,
) => AsyncIterable<RunEvent>;

/** Carries out one command that is at hand as data. */
export type RunCommand = (
  command: StepCommand,
  terms: RunTerms,
) => AsyncIterable<RunEvent>;
