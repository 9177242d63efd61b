import type { ClusterTask, EncryptionOutcome } from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import { pause } from "../io/pause.ts";
import type { ChangeCommand } from "./command.ts";
import {
  type Before,
  doneIn,
  doneNow,
  isOfState,
  type StateCommand,
} from "./command_done.ts";
import { decide } from "./decide.ts";
import {
  type Answer,
  LOOK_MS,
  progressOf,
  quietly,
  type RunContext,
  type RunProgress,
} from "./run_context.ts";
import { watchCall } from "./watch_call.ts";

/** Every member that is up has applied a committed entry long before. */
const FAN_OUT_MS_MAX = 10_000;

/** Nobody knows yet what came of it, or somebody else is at it. */
const UNDECIDED: ReadonlySet<string> = new Set([
  "ADMIN_OUTCOME_UNKNOWN",
  "NODE_OUTCOME_UNKNOWN",
  "NODE_CHANGE_UNDER_WAY",
]);

/**
 * Asks for a change once and follows it until every member has it; `null` when
 * `terms.signal` ended the look.
 *
 * @throws {StepUndoneError} Its leader went, and nothing came of it.
 * @throws {NodeError} It was refused, or nothing tells that it was done.
 */
export async function* followChange(
  context: RunContext,
  command: ChangeCommand,
  before: Before,
): AsyncGenerator<RunProgress, Answer | null> {
  const answer = yield* settled(context, command, before);
  if (answer === null || !isOfState(command)) return answer;
  yield* followFanOut(context, command, before);
  return context.terms.signal.aborted ? null : answer;
}

async function* settled(
  context: RunContext,
  command: ChangeCommand,
  before: Before,
): AsyncGenerator<RunProgress, Answer | null> {
  const { client, terms } = context;
  const end = yield* watchCall(context, command, before);
  if (end === null) return null;
  const { outcome } = end;
  if (outcome !== null) return { outcome, isOthers: !outcome.changed };
  if (terms.signal.aborted) return null;
  const { error, isCut } = end;
  if (!(error instanceof NodeError)) throw error;
  if (UNDECIDED.has(error.code)) {
    const status = isCut ? null : await quietly(client.getStatus());
    const term = status?.term ?? before.term;
    const index = yield* decide(context, command, { before, error, term });
    const isOthers = error.code === "NODE_CHANGE_UNDER_WAY";
    return index === null ? null : answerAt(context, index, isOthers);
  }
  // Whoever refuses may do so as somebody else has just done it.
  const index = await quietly(doneNow(client, command, before));
  if (index === null) throw error;
  return answerAt(context, index, true);
}

function answerAt(
  { terms }: RunContext,
  index: bigint,
  isOthers: boolean,
): Answer {
  const plan = { hash: terms.planHash, steps: [] };
  const outcome: EncryptionOutcome = {
    ...{ plan, index, unreachable: [] },
    changed: !isOthers,
  };
  return { outcome, isOthers };
}

/** Who is away applies it later: it is committed. */
async function* followFanOut(
  { client, clock, terms }: RunContext,
  command: StateCommand,
  before: Before,
): AsyncGenerator<RunProgress, void> {
  const startMs = clock.monotonicMs();
  for (;;) {
    const members = await quietly(client.encryptionOfMembers());
    const elapsedMs = clock.monotonicMs() - startMs;
    if (members !== null) {
      const tasks = members.map(({ member, encryption }): ClusterTask => {
        const isDone = encryption !== null &&
          doneIn(encryption, command, before) !== null;
        const state = encryption === null
          ? "silent"
          : isDone
          ? "done"
          : "waiting";
        const counts = { done: isDone ? 1n : 0n, total: 1n, bytes: 0n };
        const elapsed = BigInt(Math.round(elapsedMs));
        return { member, state, ...counts, elapsedMs: elapsed, failure: "" };
      });
      yield progressOf(tasks);
      if (tasks.every(({ state }) => state === "done")) return;
    }
    if (elapsedMs >= FAN_OUT_MS_MAX || terms.signal.aborted) return;
    await pause(LOOK_MS, clock, terms.signal);
  }
}
