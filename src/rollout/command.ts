import type { SealingPurpose } from "../base/data_key.ts";
import type {
  AcceptableRisk,
  ClusterKey,
  ClusterRollout,
} from "../admin/client.ts";
import type { RolloutChoices } from "./snapshot.ts";
import type { StepId } from "./step.ts";

/** One command of a step, as data: its text and its call are made of this. */
export type StepCommand =
  | ChangeCommand
  /** Counts records and changes nothing. */
  | { readonly kind: "verify" };

/** One that the leader is asked for. */
export type ChangeCommand =
  | { readonly kind: "enable-storage-envelope" }
  | { readonly kind: "seal-cleartext" }
  | { readonly kind: "enable-raft-envelope" }
  | { readonly kind: "scrub" }
  | { readonly kind: "pause-rewrite" }
  | {
    readonly kind: "update-rollout";
    /** Unix ms, whole seconds; 0 ends the dwell. */
    readonly dwellUntilMs: number;
  }
  | {
    readonly kind: "start-rewrite";
    /** Of values, on each member; 0 for no bound. */
    readonly bytesPerSecond: number;
    /** Ends when every member is done. */
    readonly isFollowed: boolean;
  }
  | {
    readonly kind: "resume-rewrite";
    /** `null`: the rate of before. */
    readonly bytesPerSecond: number | null;
    readonly isFollowed: boolean;
  }
  | { readonly kind: "rotate-dek"; readonly purpose: SealingPurpose }
  | {
    readonly kind: "retire-dek";
    readonly keyId: number;
    readonly purpose: SealingPurpose;
  };

/** What the commands of a step depend on. */
export interface CommandFacts {
  readonly keys: readonly ClusterKey[];
  readonly rollout: ClusterRollout;
}

/** What one command is carried out with besides its own. */
export interface CommandTerms {
  /** The cluster's name. */
  readonly confirm: string;
  readonly accept: readonly AcceptableRisk[];
}

/**
 * What carries a step out, in order. Empty for what no command does: to start
 * members with a key, and to retire when no key is replaced.
 */
export function stepCommands(
  step: StepId,
  facts: CommandFacts,
  choices: RolloutChoices,
): readonly StepCommand[] {
  switch (step) {
    case "capability":
      return [];
    case "storage":
      return [{ kind: "enable-storage-envelope" }];
    case "rewrite":
      return [...dwell(facts, choices), rewrite(facts, choices)];
    case "seal":
      return [{ kind: "seal-cleartext" }];
    case "raft":
      return [{ kind: "enable-raft-envelope" }];
    case "scrub":
      return [{ kind: "scrub" }, { kind: "verify" }];
    case "rotate":
      return [
        { kind: "rotate-dek", purpose: "storage" },
        { kind: "rotate-dek", purpose: "raft" },
      ];
    case "retire":
      return retirements(facts, choices);
  }
}

function dwell(
  { rollout }: CommandFacts,
  { dwellUntilMs }: RolloutChoices,
): readonly StepCommand[] {
  const isSo = dwellUntilMs === 0 ||
    BigInt(dwellUntilMs) === rollout.dwellUntilMs;
  return isSo ? [] : [{ kind: "update-rollout", dwellUntilMs }];
}

/** A job that was started goes on: to start it again is to begin anew. */
function rewrite(
  { rollout }: CommandFacts,
  { bytesPerSecond }: RolloutChoices,
): StepCommand {
  const isFollowed = true;
  if (rollout.rewrite === null) {
    return { kind: "start-rewrite", bytesPerSecond, isFollowed };
  }
  const rate = bytesPerSecond === 0 ? null : bytesPerSecond;
  return { kind: "resume-rewrite", bytesPerSecond: rate, isFollowed };
}

/** Records under an older storage key are sealed anew before it is retired. */
function retirements(
  facts: CommandFacts,
  choices: RolloutChoices,
): readonly StepCommand[] {
  const retired: StepCommand[] = facts.keys.flatMap((
    { id: keyId, isActive, purpose },
  ) =>
    isActive || (purpose !== "storage" && purpose !== "raft")
      ? []
      : [{ kind: "retire-dek" as const, keyId, purpose }]
  );
  const isStorage = retired.some((command) =>
    command.kind === "retire-dek" && command.purpose === "storage"
  );
  return isStorage ? [rewrite(facts, choices), ...retired] : retired;
}
