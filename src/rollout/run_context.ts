import type {
  AdminClient,
  ClusterTask,
  EncryptionOutcome,
} from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import { pause } from "../io/pause.ts";
import type { ChangeCommand } from "./command.ts";
import type { RunEvent, RunTerms } from "./run.ts";
import type { RolloutChoices } from "./snapshot.ts";

/** What a command is carried out with. */
export interface RunContext {
  readonly client: AdminClient;
  readonly clock: Clock;
  readonly choices: RolloutChoices;
  readonly terms: RunTerms;
}

export type RunProgress = Extract<RunEvent, { kind: "progress" }>;

export interface Answer {
  readonly outcome: EncryptionOutcome;
  readonly isOthers: boolean;
}

/** Between two looks at what members are at. */
export const LOOK_MS = 500;

/** Progress of nothing but tasks. */
export function progressOf(tasks: readonly ClusterTask[]): RunProgress {
  return {
    kind: "progress",
    progress: { tasks, isPaused: false, bytesPerSecond: null },
  };
}

/** What members are at for it, as the leader sees it; `null` for nothing. */
export async function tasksOf(
  { client }: RunContext,
  { kind }: ChangeCommand,
): Promise<readonly ClusterTask[] | null> {
  const underWay = await client.changeUnderWay();
  return underWay?.action === kind ? underWay.members : null;
}

/** What was asked for; `null` when nobody can answer just now. */
export async function quietly<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NodeError) return null;
    throw error;
  }
}

/** `null` when it has not settled after `ms`, or `terms.signal` is aborted. */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  { clock, terms }: RunContext,
): Promise<T | null> {
  const over = new AbortController();
  const signal = AbortSignal.any([terms.signal, over.signal]);
  try {
    return await Promise.race([
      work,
      pause(ms, clock, signal).then(() => null),
    ]);
  } finally {
    over.abort();
  }
}
