import type { EncryptionOutcome } from "../../src/admin/client.ts";
import type { NodeError } from "../../src/base/error.ts";
import type { RateEstimate } from "../../src/rollout/rate_meter.ts";
import type {
  RolloutChoices,
  RolloutSnapshot,
} from "../../src/rollout/snapshot.ts";
import type {
  RolloutPlan,
  RolloutStep,
  StepId,
  StepProgress,
} from "../../src/rollout/step.ts";
import type { DemoSeen } from "./demo_seen.ts";

/** What fills the screen. */
export type View =
  | { readonly kind: "overview" }
  /** What a step would do, as the leader says. */
  | { readonly kind: "plan"; readonly step: StepId }
  /** The same, while the cluster's name is typed. */
  | {
    readonly kind: "confirm";
    readonly step: StepId;
    readonly typed: string;
    /** Of the plan that is on the screen. */
    readonly planHash: string;
  }
  /**
   * In the place of a plan, or of its confirmation, that others overtook. Keys
   * that were meant for it do nothing here: only Escape leaves.
   */
  | {
    readonly kind: "overtaken";
    readonly step: StepId;
    readonly text: string;
  }
  /** A list to choose from. */
  | {
    readonly kind: "choose";
    readonly what: ChoiceKind;
    readonly at: number;
  }
  /** The end of the KEK's id from the copy that is kept elsewhere. */
  | { readonly kind: "escrow"; readonly typed: string }
  | { readonly kind: "log" }
  | { readonly kind: "help" }
  /** Asks whether to leave although something runs. */
  | { readonly kind: "leave" };

export type ChoiceKind = "dwell" | "rate" | "risks" | "commands";

/** Panes in the order of Tab; where there is room several show at once. */
export const PANES = ["step", "members", "log", "demo"] as const;
export type PaneName = typeof PANES[number];

/** One look at the cluster and what it means. */
export interface Seen {
  readonly snapshot: RolloutSnapshot;
  readonly plan: RolloutPlan;
  /** Of the clock that never goes back. */
  readonly atMs: number;
}

/** A step that was started from this screen. */
export interface Run {
  readonly step: StepId;
  /** Of the wall clock. */
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** The last that was asked. */
  readonly command: string;
  readonly progress: StepProgress | null;
  readonly outcomes: readonly EncryptionOutcome[];
  /** Somebody else did it, or it was so before. */
  readonly isOthers: boolean;
  readonly error: NodeError | null;
}

export interface LogLine {
  /** Of the wall clock. */
  readonly atMs: number;
  readonly kind: "command" | "result" | "error" | "event";
  readonly text: string;
}

export interface WizardState {
  readonly isReadOnly: boolean;
  /** As of the last look; `null` where there is no demo. */
  readonly demo: DemoSeen | null;
  /** Who types. */
  readonly actor: string;
  /** The last good look; `null` before one. */
  readonly seen: Seen | null;
  /** Why the looks after it failed; `null` when it is the last. */
  readonly failure: NodeError | null;
  /** Of the clock that never goes back, as of the last event that told it. */
  readonly nowMs: number;
  /** When what runs is done; `null` while it is too early to tell. */
  readonly estimate: RateEstimate | null;
  readonly view: View;
  /** `null`: the next one, whichever that is. */
  readonly selected: StepId | null;
  readonly pane: PaneName;
  /** Rows that are scrolled away: above, in a log below. */
  readonly offset: number;
  readonly showsAll: boolean;
  readonly issuesOnly: boolean;
  readonly choices: RolloutChoices;
  /** Command line of the selected step to run alone; `null`: all of them. */
  readonly only: string | null;
  /** The KEK's id was read from the copy that is kept elsewhere. */
  readonly isEscrowProven: boolean;
  /** Steps taken from here, oldest first; the last may be under way. */
  readonly runs: readonly Run[];
  /** The last run is over, and no look has begun since. */
  readonly isBehind: boolean;
  /** Entries of commands beside the steps, as to pause the rewrite. */
  readonly steered: readonly bigint[];
  readonly log: readonly LogLine[];
  /** What the next key clears; "" for none. */
  readonly notice: string;
  /** Step whose end is told until the next key; `null` for none. */
  readonly announced: StepId | null;
  /** `null` until the screen is left. */
  readonly exitCode: 0 | 130 | null;
}

export interface Beginning {
  readonly isReadOnly: boolean;
  readonly demo: DemoSeen | null;
  readonly actor: string;
  readonly choices: RolloutChoices;
}

export function beginWizard(beginning: Beginning): WizardState {
  return {
    ...beginning,
    seen: null,
    failure: null,
    nowMs: 0,
    estimate: null,
    view: { kind: "overview" },
    selected: null,
    pane: "step",
    offset: 0,
    showsAll: false,
    issuesOnly: false,
    only: null,
    isEscrowProven: false,
    runs: [],
    isBehind: false,
    steered: [],
    log: [],
    notice: "",
    announced: null,
    exitCode: null,
  };
}

/** Shown once all are done; those after it recur. */
const LAST_STEP = "scrub";

/** The step that keys are about; `null` before the first look. */
export function selectedStep(state: WizardState): RolloutStep | null {
  if (state.seen === null) return null;
  const { steps, next } = state.seen.plan;
  const id = viewedStep(state) ?? state.selected ?? next ?? LAST_STEP;
  return steps.find((step) => step.id === id) ?? null;
}

function viewedStep({ view }: WizardState): StepId | null {
  return "step" in view ? view.step : null;
}

/** What is under way from here; `null` for nothing. */
export function activeRun({ runs }: WizardState): Run | null {
  const last = runs.at(-1);
  return last === undefined || last.endedMs !== null ? null : last;
}

/** What is under way from here, until a look tells what became of it. */
export function stepUnderWay(state: WizardState): StepId | null {
  const run = state.isBehind ? state.runs.at(-1) : activeRun(state);
  return run?.step ?? null;
}

/** The last try of a step from here. */
export function lastRun(state: WizardState, step: StepId): Run | null {
  return state.runs.findLast((run) => run.step === step) ?? null;
}

/** Anything at all is under way, whoever began it. */
export function isBusy(state: WizardState): boolean {
  const steps = state.seen?.plan.steps ?? [];
  const ended = endedUnseen(state);
  return activeRun(state) !== null ||
    steps.some(({ id, state }) => state === "running" && id !== ended);
}

/** Step that was done from here, where the last look is of before its end. */
function endedUnseen({ isBehind, runs }: WizardState): StepId | null {
  const last = runs.at(-1);
  return isBehind && last?.error === null ? last.step : null;
}

/** Looks come every two seconds: older than this, something is wrong. */
const FRESH_MS_MAX = 8_000;

/** Of what is on the screen. */
export function ageMsOf({ seen, nowMs }: WizardState): number {
  return seen === null ? 0 : Math.max(0, nowMs - seen.atMs);
}

/** What is on the screen is what is true. */
export function isFresh(state: WizardState): boolean {
  return state.seen !== null && ageMsOf(state) <= FRESH_MS_MAX;
}

/** Keys that change something do so now. */
export function mayAct(state: WizardState): boolean {
  return !state.isReadOnly && isFresh(state);
}

/** A log: its end shows first, and what is scrolled away is below. */
export function isReadFromEnd({ view, pane }: WizardState): boolean {
  return view.kind === "log" || view.kind === "overview" && pane === "log";
}
