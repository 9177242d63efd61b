import type { AdminClient } from "../admin/client.ts";
import type { NodeError } from "../base/error.ts";
import { pause } from "../io/pause.ts";
import type { ChangeCommand } from "./command.ts";
import { type Before, doneNow } from "./command_done.ts";
import { StepUndoneError } from "./errors.ts";
import {
  LOOK_MS,
  progressOf,
  quietly,
  type RunContext,
  type RunProgress,
  tasksOf,
} from "./run_context.ts";

/** Without a new leader nothing tells more than this. */
const DECISION_MS_MAX = 15_000;
/** Who a new leader has shown nothing for as long has nothing to wait for. */
const UNDONE_MS_MIN = 2_000;

/** A call whose end nobody has told. */
export interface OpenCall {
  readonly before: Before;
  readonly error: NodeError;
  /** Of the leader that was asked, or a later one that was there by then. */
  readonly term: bigint;
}

/**
 * Looks what became of a call, which is never made again: index of the entry
 * that did it, 0 where nothing tells it; `null` when `terms.signal` ended the
 * look.
 *
 * @throws {StepUndoneError} A later leader shows that nothing did.
 * @throws {NodeError} The error of `open`, when nothing tells.
 */
export async function* decide(
  context: RunContext,
  command: ChangeCommand,
  open: OpenCall,
): AsyncGenerator<RunProgress, bigint | null> {
  const { clock, terms: { signal } } = context;
  let untilMs = clock.monotonicMs() + DECISION_MS_MAX;
  let undoneMs: number | null = null;
  while (!signal.aborted) {
    const look = await quietly(lookAt(context, command, open));
    if (look !== null && look.doneAt !== null) return look.doneAt;
    const tasks = look?.tasks ?? null;
    const nowMs = clock.monotonicMs();
    if (look === null || !look.isSucceeded || tasks !== null) undoneMs = null;
    else undoneMs ??= nowMs;
    if (tasks !== null) {
      yield progressOf(tasks);
      untilMs = nowMs + DECISION_MS_MAX;
    }
    if (undoneMs !== null && nowMs - undoneMs >= UNDONE_MS_MIN) {
      throw new StepUndoneError(command.kind, { cause: open.error });
    }
    if (nowMs >= untilMs) throw open.error;
    await pause(LOOK_MS, clock, signal);
  }
  return null;
}

async function lookAt(
  context: RunContext,
  command: ChangeCommand,
  { before, term }: OpenCall,
) {
  const { client } = context;
  // First: what it shows is to be newer than the leader.
  const isSucceeded = await hasNewLeader(client, term);
  const [doneAt, tasks] = await Promise.all([
    doneNow(client, command, before),
    tasksOf(context, command),
  ]);
  return { isSucceeded, doneAt, tasks };
}

/** It has applied all that leaders before it got committed. */
async function hasNewLeader(
  client: AdminClient,
  term: bigint,
): Promise<boolean> {
  const status = await client.getStatus();
  const leader = status.members.find(({ name }) => name === status.leader);
  return status.term > term && leader?.ready === true;
}
