import type { NodeError } from "../../src/base/error.ts";
import type { RateEstimate } from "../../src/rollout/rate_meter.ts";
import type { RunEvent } from "../../src/rollout/run.ts";
import type { RolloutSnapshot } from "../../src/rollout/snapshot.ts";
import type { StepId } from "../../src/rollout/step.ts";
import type { KeyPress } from "../keys.ts";
import type { DemoSeen } from "./demo_seen.ts";
import type { WizardState } from "./state.ts";
import type { StepCommand } from "../../src/rollout/command.ts";

export type WizardEvent =
  | {
    readonly kind: "looked";
    readonly snapshot: RolloutSnapshot;
    readonly estimate: RateEstimate | null;
    /** `null` where there is no demo. */
    readonly demo: DemoSeen | null;
    /** A step was under way from here when the look began. */
    readonly beganAmid: boolean;
    readonly nowMs: number;
  }
  | {
    readonly kind: "look-failed";
    readonly error: NodeError;
    readonly nowMs: number;
  }
  /** A look takes its time. */
  | { readonly kind: "waited"; readonly nowMs: number }
  | {
    readonly kind: "press";
    readonly press: KeyPress;
    /** Most rows that can be scrolled away on what is shown. */
    readonly offsetMax: number;
  }
  | { readonly kind: "run"; readonly event: RunEvent }
  /** All of its events have come. */
  | { readonly kind: "run-over"; readonly atMs: number }
  /** Of a command beside the steps, as to pause the rewrite. */
  | { readonly kind: "steered"; readonly event: RunEvent }
  | { readonly kind: "notice"; readonly text: string };

/** What the driver is to do. */
export type Effect =
  | {
    readonly kind: "run";
    readonly step: StepId;
    /** "" for any. */
    readonly planHash: string;
    /** One of its command lines; `null` for all. */
    readonly only: string | null;
  }
  | { readonly kind: "steer"; readonly command: StepCommand };

export interface Transition {
  readonly state: WizardState;
  readonly effects: readonly Effect[];
}

export function to(
  state: WizardState,
  ...effects: readonly Effect[]
): Transition {
  return { state, effects };
}
