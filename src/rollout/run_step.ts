import type { AdminClient } from "../admin/client.ts";
import type { Clock } from "../io/clock.ts";
import type { RunCommand, RunStep } from "./run.ts";
import type { RolloutChoices } from "./snapshot.ts";

export interface RunOptions {
  readonly clock: Clock;
  readonly choices: RolloutChoices;
}

/** Takes steps: each of its commands in order, followed to its end. */
export function runStep(_client: AdminClient, _options: RunOptions): RunStep {
  throw new Error("not written yet");
}

/** The same for single commands, as to pause the rewrite. */
export function runCommand(
  _client: AdminClient,
  _options: RunOptions,
): RunCommand {
  throw new Error("not written yet");
}
