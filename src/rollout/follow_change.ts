import type {
  AdminClient,
  ClusterTask,
  EncryptionOutcome,
} from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import { pause } from "../io/pause.ts";
import type { ChangeCommand } from "./command.ts";
import { callCommand } from "./command_call.ts";
import {
  type Before,
  doneIn,
  doneNow,
  isOfState,
  type StateCommand,
} from "./command_done.ts";
import { risksOf } from "./command_text.ts";
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
const LOOK_MS = 500;
/** A call of which the leader shows nothing for as long has lost it. */
const SILENCE_MS_MAX = 30_000;
/** A new leader has shown by then what became of the old one's entry. */
const DECISION_MS_MAX = 15_000;
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

/** Progress of nothing but tasks. */
export function progressOf(tasks: readonly ClusterTask[]): RunProgress {
  return {
    kind: "progress",
    progress: { tasks, isPaused: false, bytesPerSecond: null },
  };
}

type Settled =
  | { readonly outcome: EncryptionOutcome; readonly error: null }
  | { readonly outcome: null; readonly error: unknown };

async function* settled(
  context: RunContext,
  command: ChangeCommand,
  before: Before,
): AsyncGenerator<RunProgress, Answer | null> {
  const { client, terms } = context;
  const result = yield* watchCall(context, command);
  if (result === null) return null;
  const { outcome, error } = result;
  if (outcome !== null) return { outcome, isOthers: !outcome.changed };
  if (terms.signal.aborted) return null;
  if (!(error instanceof NodeError)) throw error;
  if (UNDECIDED.has(error.code)) {
    return yield* decided(context, command, { before, error });
  }
  // Whoever refuses may do so as somebody else has just done it.
  const index = await quietly(doneNow(client, command, before));
  if (index === null) throw error;
  return othersAnswer(context, index);
}

/** The call's end, with looks at the members beside it. */
async function* watchCall(
  context: RunContext,
  command: ChangeCommand,
): AsyncGenerator<RunProgress, Settled | null> {
  const { client, clock, choices, terms } = context;
  const { confirm, planHash, signal } = terms;
  const cut = new AbortController();
  const accept = risksOf(command, choices.accept);
  const call = callCommand(client, command, {
    ...{ confirm, planHash, accept },
    signal: AbortSignal.any([signal, cut.signal]),
  }).then<Settled, Settled>(
    (outcome) => ({ outcome, error: null }),
    (error) => ({ outcome: null, error }),
  );
  let heardMs = clock.monotonicMs();
  for (;;) {
    const result = await within(call, LOOK_MS, context);
    if (result !== null) return result;
    if (signal.aborted) return null;
    const tasks = await tasksOf(context, command);
    if (tasks !== null) {
      heardMs = clock.monotonicMs();
      yield progressOf(tasks);
    } else if (clock.monotonicMs() - heardMs >= SILENCE_MS_MAX) {
      cut.abort();
      return await call;
    }
  }
}

/** `null` when it has not settled after `ms`. */
async function within<T>(
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

/** What members are at for it, as the leader sees it. */
async function tasksOf(
  { client }: RunContext,
  { kind }: ChangeCommand,
): Promise<readonly ClusterTask[] | null> {
  const underWay = await quietly(client.changeUnderWay());
  return underWay?.action === kind ? underWay.members : null;
}

/** The cluster decides it, never a second call. */
async function* decided(
  context: RunContext,
  command: ChangeCommand,
  { before, error }: { readonly before: Before; readonly error: NodeError },
): AsyncGenerator<RunProgress, Answer | null> {
  const { client, clock, terms } = context;
  let untilMs = clock.monotonicMs() + DECISION_MS_MAX;
  for (;;) {
    const index = await quietly(doneNow(client, command, before));
    if (index !== null) {
      return error.code === "NODE_CHANGE_UNDER_WAY"
        ? othersAnswer(context, index)
        : { outcome: outcomeAt(context, index, true), isOthers: false };
    }
    const tasks = await tasksOf(context, command);
    const nowMs = clock.monotonicMs();
    if (tasks !== null) {
      yield progressOf(tasks);
      untilMs = nowMs + DECISION_MS_MAX;
    }
    if (nowMs >= untilMs) throw error;
    await pause(LOOK_MS, clock, terms.signal);
    if (terms.signal.aborted) return null;
  }
}

function othersAnswer(context: RunContext, index: bigint): Answer {
  return { outcome: outcomeAt(context, index, false), isOthers: true };
}

function outcomeAt(
  { terms }: RunContext,
  index: bigint,
  changed: boolean,
): EncryptionOutcome {
  const plan = { hash: terms.planHash, steps: [] };
  return { plan, changed, index, unreachable: [] };
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

/** `null` when nobody can answer just now. */
async function quietly<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NodeError) return null;
    throw error;
  }
}
