import type { AdminClient } from "../admin/client.ts";
import type { Clock } from "../io/clock.ts";
import type { Check } from "./check.ts";
import { StepBlockedError } from "./errors.ts";
import { planRollout } from "./plan_rollout.ts";
import type { RunEvent, RunTerms } from "./run.ts";
import { runStep } from "./run_step.ts";
import { NO_CHOICES, type RolloutChoices } from "./snapshot.ts";
import type { RolloutPlan, RolloutStep, StepId } from "./step.ts";
import { takeSnapshot } from "./take_snapshot.ts";

/** A step that can be looked at again, and taken. */
export interface LiveStep extends RolloutStep {
  /** Its checks as they are now. */
  check(): Promise<readonly Check[]>;
  /**
   * Takes it: what happens, to the end. Nothing when it is done by now; one
   * that is blocked by now ends with a "failed" event and asks nobody. One-way
   * steps want `confirm`. A loop that is left ends the look, not the step.
   */
  run(terms?: Partial<RunTerms>): AsyncIterable<RunEvent>;
}

/** The ladder as it stood when it was asked for. */
export interface LivePlan extends RolloutPlan {
  readonly steps: readonly LiveStep[];
}

export interface RolloutPlanOptions {
  readonly clock: Clock;
  /** What is not given is not chosen. */
  readonly choices?: Partial<RolloutChoices>;
}

/**
 * The rollout of a cluster: what is done, what comes next, what stands in its
 * way and what to do about that.
 *
 * @throws {NodeError} No member answers at all, or the token is refused.
 */
export async function rolloutPlan(
  client: AdminClient,
  { clock, choices: given = {} }: RolloutPlanOptions,
): Promise<LivePlan> {
  const choices = { ...NO_CHOICES, ...given };
  const look = async (id?: StepId) => {
    const of = id === undefined ? {} : { rehearse: id };
    const options = { clock, choices, previous: null, isFull: true, ...of };
    return planRollout(await takeSnapshot(client, options), choices);
  };
  const stepNow = async (step: RolloutStep) =>
    (await look(step.id)).steps.find(({ id }) => id === step.id) ?? step;
  const plan = await look();
  return {
    ...plan,
    steps: plan.steps.map((step) => ({
      ...step,
      check: async () => (await stepNow(step)).checks,
      run: async function* (terms = {}) {
        const now = await stepNow(step);
        if (now.state === "done") return;
        if (now.state === "blocked") {
          yield blocked(now, clock);
          return;
        }
        yield* runStep(client, { clock, choices })(step.id, {
          confirm: "",
          planHash: "",
          signal: new AbortController().signal,
          ...terms,
        });
      },
    })),
  };
}

function blocked(
  { id, detail, checks }: RolloutStep,
  clock: Clock,
): RunEvent {
  const failing = checks.filter(({ verdict }) => verdict === "fail");
  return {
    ...{ kind: "failed", command: "", asked: null, atMs: clock.wallMs() },
    error: new StepBlockedError(id, detail, failing),
  };
}
