import type { AdminClient } from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import { type StepCommand, stepCommands } from "./command.ts";
import { lookBefore } from "./command_done.ts";
import { commandLine } from "./command_text.ts";
import { StepBlockedError } from "./errors.ts";
import { followChange } from "./follow_change.ts";
import type { Answer, RunContext, RunProgress } from "./run_context.ts";
import { followCount, followRewrite } from "./follow_records.ts";
import type { RunCommand, RunEvent, RunStep, RunTerms } from "./run.ts";
import type { RolloutChoices } from "./snapshot.ts";
import type { StepId } from "./step.ts";

export interface RunOptions {
  readonly clock: Clock;
  readonly choices: RolloutChoices;
}

/** Takes steps: each of their commands in order, followed to its end. */
export function runStep(client: AdminClient, options: RunOptions): RunStep {
  const { clock } = options;
  return async function* (step, terms) {
    const context = { client, ...options, terms };
    try {
      const commands = await commandsOf(context, step);
      const planHash = commands.length === 1 ? terms.planHash : "";
      const own = { ...context, terms: { ...terms, planHash } };
      for (const command of commands) {
        if (!(yield* carryOut(own, command))) return;
      }
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      if (terms.signal.aborted) return;
      const atMs = clock.wallMs();
      yield { kind: "failed", command: "", asked: null, atMs, error };
    }
  };
}

/** The same for single commands, as to pause the rewrite. */
export function runCommand(
  client: AdminClient,
  options: RunOptions,
): RunCommand {
  return async function* (command, terms) {
    yield* carryOut({ client, ...options, terms }, command);
  };
}

/** @throws {StepBlockedError} When no command takes the step. */
async function commandsOf(
  { client, choices, terms }: RunContext,
  step: StepId,
): Promise<readonly StepCommand[]> {
  if (step === "capability") {
    throw new StepBlockedError(
      step,
      "no command does it: each member is to be started with its key",
    );
  }
  const { encryption, rollout } = await lookBefore(client);
  const facts = { keys: encryption.keys, rollout };
  const commands = stepCommands(step, facts, choices);
  const { only } = terms;
  const chosen = only === undefined
    ? commands
    : commands.filter((command) => lineOf(command, choices, terms) === only);
  if (chosen.length > 0) return chosen;
  throw new StepBlockedError(step, "nothing is left to do for it");
}

function lineOf(
  command: StepCommand,
  { accept }: RolloutChoices,
  { confirm }: RunTerms,
): string {
  return commandLine(command, { confirm, accept });
}

/** True when the next one may follow. */
async function* carryOut(
  context: RunContext,
  command: StepCommand,
): AsyncGenerator<RunEvent, boolean> {
  const { client, clock, choices, terms } = context;
  const about = () => ({
    command: lineOf(command, choices, terms),
    asked: command,
    atMs: clock.wallMs(),
  });
  try {
    const before = await lookBefore(client);
    if (terms.signal.aborted) return false;
    const afterIndex = before.encryption.applied;
    yield { kind: "asked", ...about(), afterIndex };
    const answer = command.kind === "verify"
      ? yield* counted(context)
      : yield* followChange(context, command, before);
    if (answer === null) return false;
    const isFollowed = "isFollowed" in command && command.isFollowed;
    if (isFollowed && !(yield* followRewrite(context))) return false;
    yield { kind: "answered", ...about(), ...answer };
    return true;
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    if (!terms.signal.aborted) yield { kind: "failed", ...about(), error };
    return false;
  }
}

async function* counted(
  context: RunContext,
): AsyncGenerator<RunProgress, Answer | null> {
  if (!(yield* followCount(context))) return null;
  const plan = { hash: "", steps: [] };
  const outcome = { plan, changed: false, index: 0n, unreachable: [] };
  return { outcome, isOthers: false };
}
