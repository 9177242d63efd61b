import type { AdminClient } from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import { pause } from "../io/pause.ts";
import type { Check, CheckId } from "./check.ts";
import { StepBlockedError, StepUnfinishedError } from "./errors.ts";
import { planRollout } from "./plan_rollout.ts";
import type { RunEvent } from "./run.ts";
import { runStep } from "./run_step.ts";
import type { RolloutChoices, RolloutSnapshot } from "./snapshot.ts";
import {
  type RolloutPlan,
  type RolloutStep,
  STEP_IDS,
  type StepId,
} from "./step.ts";
import { takeSnapshot } from "./take_snapshot.ts";

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

/** What a step leaves behind shows on every member by then. */
const SETTLE_MS_MAX = 15_000;
/** An election is over by then. */
const SILENCE_MS_MAX = 30_000;
const LOOK_MS = 500;
/** For a step whose leader goes amid it each time. */
const TRIES_MAX = 3;
/** A dwell may be ended, or made longer, meanwhile. */
const DWELL_LOOK_MS = 10_000;
/** Checks that fail for a dwell: itself, and the leader's word on it. */
const DWELL_CHECKS: ReadonlySet<CheckId> = new Set(["R02", "P01"]);

/**
 * Takes step after step until `until`; stops at the first failed check, and at
 * the first command that fails, but for one that a leader took along when it
 * went: once the cluster shows that nothing came of it, the step is taken anew.
 * What is done already is not done again.
 *
 * @throws {NodeError} Nobody answers.
 */
export async function* applyRollout(
  client: AdminClient,
  options: ApplyOptions,
): AsyncGenerator<ApplyEvent, void> {
  const { clock, signal } = options;
  const startMs = clock.wallMs();
  const ended = (end: ApplyEnd): ApplyEvent => (
    { kind: "ended", end, atMs: clock.wallMs() }
  );
  let taken: StepId | null = null;
  let previous: Look | null = null;
  let undone = 0;
  for (;;) {
    const look: Look | null = await lookOn(client, options, {
      previous,
      taken,
    });
    if (look === null) return yield ended({ kind: "interrupted" });
    previous = look;
    yield { kind: "plan", plan: look.plan };
    const step = nextStep(look, options);
    if (step === null) return yield ended({ kind: "done" });
    const untilMs = dwellOf(look, step);
    if (untilMs !== null && untilMs <= startMs + options.waitMs) {
      yield* dwell(step.id, untilMs, options);
      continue;
    }
    const error = step.state === "blocked"
      ? new StepBlockedError(step.id, step.detail, failing(step))
      : step.id === taken
      ? unfinished(step)
      : null;
    if (error !== null) {
      return yield ended({ kind: "stopped", step: step.id, error });
    }
    yield { kind: "step", step, atMs: clock.wallMs() };
    const failure = yield* take(client, options, { look, step });
    if (failure?.code === "ROLLOUT_STEP_UNDONE" && (undone += 1) < TRIES_MAX) {
      taken = null;
      continue;
    }
    undone = 0;
    if (failure !== null) {
      const stopped = {
        kind: "stopped",
        step: step.id,
        error: failure,
      } as const;
      return yield ended(stopped);
    }
    if (signal.aborted) return yield ended({ kind: "interrupted" });
    taken = step.id;
  }
}

function unfinished({ id, detail }: RolloutStep): StepUnfinishedError {
  return new StepUnfinishedError(
    `the step "${id}"`,
    detail,
    "Do what `sealkv rollout --plan` says of it, then give the command again",
  );
}

interface Look {
  readonly snapshot: RolloutSnapshot;
  readonly plan: RolloutPlan;
  readonly choices: RolloutChoices;
}

/**
 * The plan as it is now. After a step it is looked at until that shows on every
 * member, or until a leader that went is back; `null` when `signal` ended the
 * look.
 */
async function lookOn(
  client: AdminClient,
  options: ApplyOptions,
  { previous, taken }: {
    readonly previous: Look | null;
    readonly taken: StepId | null;
  },
): Promise<Look | null> {
  const { clock, signal } = options;
  const startMs = clock.monotonicMs();
  while (!signal.aborted) {
    const spentMs = clock.monotonicMs() - startMs;
    try {
      const look = await lookNow(client, options, previous);
      const step = nextStep(look, options);
      const isSettled = step === null || dwellOf(look, step) !== null ||
        step.id !== taken && step.state !== "blocked";
      if (previous === null || isSettled || spentMs >= SETTLE_MS_MAX) {
        return look;
      }
    } catch (error) {
      const isPassing = error instanceof NodeError && previous !== null &&
        spentMs < SILENCE_MS_MAX;
      if (!isPassing) throw error;
    }
    await pause(LOOK_MS, clock, signal);
  }
  return null;
}

async function lookNow(
  client: AdminClient,
  { clock, choices: given }: ApplyOptions,
  previous: Look | null,
): Promise<Look> {
  const snapshot = await takeSnapshot(client, {
    ...{ clock, choices: given, isFull: true },
    previous: previous?.snapshot ?? null,
  });
  // Given again, a rollout keeps the dwell that it began with.
  const isDwelling = (snapshot.rollout?.dwellUntilMs ?? 0n) > 0n;
  const choices = isDwelling ? { ...given, dwellUntilMs: 0 } : given;
  return { snapshot, plan: planRollout(snapshot, choices), choices };
}

/** `null` when all that is asked for is done. */
function nextStep(
  { plan }: Look,
  { until }: ApplyOptions,
): RolloutStep | null {
  const step = plan.steps.find(({ id }) => id === plan.next);
  const isAbove = step !== undefined &&
    STEP_IDS.indexOf(step.id) > STEP_IDS.indexOf(until);
  return step === undefined || isAbove ? null : step;
}

function failing({ checks }: RolloutStep): readonly Check[] {
  return checks.filter(({ verdict }) => verdict === "fail");
}

/** End of the dwell when it is all that holds `step` back; else `null`. */
function dwellOf({ snapshot }: Look, step: RolloutStep): number | null {
  const checks = failing(step);
  const isDwell = step.state === "blocked" &&
    checks.some(({ id }) => id === "R02") &&
    checks.every(({ id }) => DWELL_CHECKS.has(id));
  return isDwell ? Number(snapshot.rollout?.dwellUntilMs ?? 0n) : null;
}

async function* dwell(
  step: StepId,
  untilMs: number,
  { clock, signal }: ApplyOptions,
): AsyncGenerator<ApplyEvent, void> {
  const atMs = clock.wallMs();
  yield { kind: "dwelling", step, untilMs, atMs };
  const leftMs = Math.max(LOOK_MS, untilMs - atMs);
  await pause(Math.min(leftMs, DWELL_LOOK_MS), clock, signal);
}

/** The error that ended it; `null` for none. */
async function* take(
  client: AdminClient,
  { clock, confirm, signal }: ApplyOptions,
  { look, step }: { readonly look: Look; readonly step: RolloutStep },
): AsyncGenerator<ApplyEvent, NodeError | null> {
  const { choices } = look;
  const terms = { confirm, planHash: "", signal };
  const run = runStep(client, { clock, choices });
  for await (const event of run(step.id, terms)) {
    yield { kind: "run", step: step.id, event };
    if (event.kind === "failed") return event.error;
  }
  return null;
}
