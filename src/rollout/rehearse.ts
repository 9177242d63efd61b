import type { AdminClient } from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import { viewOf } from "./cluster_view.ts";
import { type ChangeCommand, stepCommands } from "./command.ts";
import { callCommand } from "./command_call.ts";
import { commandLine, isOneWay, risksOf } from "./command_text.ts";
import type { Rehearsal, RolloutChoices, RolloutSnapshot } from "./snapshot.ts";
import type { StepId } from "./step.ts";

/**
 * Has the leader plan the first one-way command of `step`, else its first, and
 * change nothing; `null` for a step without a command.
 */
export async function rehearse(
  client: AdminClient,
  step: StepId,
  { snapshot, choices }: {
    readonly snapshot: RolloutSnapshot;
    readonly choices: RolloutChoices;
  },
): Promise<Rehearsal | null> {
  const { shown } = viewOf(snapshot);
  const rollout = snapshot.rollout ?? { rewrite: null, dwellUntilMs: 0n };
  const facts = { keys: shown?.keys ?? [], rollout };
  const commands = stepCommands(step, facts, choices)
    .filter((command): command is ChangeCommand => command.kind !== "verify");
  const command = commands.find(isOneWay) ?? commands[0];
  if (command === undefined) return null;
  const { accept } = choices;
  const confirm = snapshot.status.cluster;
  const of = { step, command: commandLine(command, { confirm, accept }) };
  try {
    const outcome = await callCommand(client, command, {
      dryRun: true,
      accept: risksOf(command, accept),
    });
    return { ...of, outcome, refusal: null };
  } catch (refusal) {
    if (!(refusal instanceof NodeError)) throw refusal;
    return { ...of, outcome: null, refusal };
  }
}
