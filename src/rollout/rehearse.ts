import type {
  AdminClient,
  ChangeOptions,
  EncryptionOutcome,
} from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import { viewOf } from "./cluster_view.ts";
import { type StepCommand, stepCommands } from "./command.ts";
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
  const commands = stepCommands(step, facts, choices);
  const command = commands.find(isOneWay) ?? commands[0];
  if (command === undefined) return null;
  const { accept } = choices;
  const confirm = snapshot.status.cluster;
  const of = { step, command: commandLine(command, { confirm, accept }) };
  try {
    const outcome = await planned(client, command, {
      dryRun: true,
      accept: risksOf(command, accept),
    });
    return { ...of, outcome, refusal: null };
  } catch (refusal) {
    if (!(refusal instanceof NodeError)) throw refusal;
    return { ...of, outcome: null, refusal };
  }
}

async function planned(
  client: AdminClient,
  command: StepCommand,
  dry: ChangeOptions,
): Promise<EncryptionOutcome | null> {
  switch (command.kind) {
    case "enable-storage-envelope":
      return await client.enableStorageEnvelope(dry);
    case "seal-cleartext":
      return await client.sealCleartext(dry);
    case "enable-raft-envelope":
      return await client.enableRaftEnvelope(dry);
    case "scrub":
      return await client.scrub([], dry);
    case "verify":
      return null;
    case "pause-rewrite":
      return await client.pauseRewrite(dry);
    case "update-rollout":
      return await client.updateRollout(command.dwellUntilMs, dry);
    case "start-rewrite":
      return await client.startRewrite(command.bytesPerSecond ?? 0, dry);
    case "resume-rewrite":
      return await client.resumeRewrite(command.bytesPerSecond, dry);
    case "rotate-dek":
      return await client.rotateDek(command.purpose, dry);
    case "retire-dek":
      return await client.retireDek(command.keyId, dry);
  }
}
