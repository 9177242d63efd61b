import type { EncryptionOutcome } from "../admin/client.ts";
import type { ChangeCommand } from "./command.ts";
import { callCommand } from "./command_call.ts";
import type { Before } from "./command_done.ts";
import { risksOf } from "./command_text.ts";
import {
  LOOK_MS,
  progressOf,
  quietly,
  type RunContext,
  type RunProgress,
  tasksOf,
  within,
} from "./run_context.ts";

/** A look that takes longer is no look: whoever is asked may stand still. */
const LOOK_MS_MAX = 2_000;
/** A call of which no leader shows anything for as long has lost it. */
const SILENCE_MS_MAX = 30_000;
/**
 * The same once there is a new one: an old one that lives refuses by then, and
 * the new one does it. Each may have asked members for 2.5 s (ADR 0133).
 */
const SUCCESSION_MS_MAX = 9_000;

/** How a call ended. */
export type CallEnd =
  | { readonly outcome: EncryptionOutcome }
  | {
    readonly outcome: null;
    readonly error: unknown;
    /** It was given up: its leader has answered nothing. */
    readonly isCut: boolean;
  };

/**
 * Asks for a change once and waits for the end of that call, with looks at the
 * members beside it; `null` when `terms.signal` ended them.
 */
export async function* watchCall(
  context: RunContext,
  command: ChangeCommand,
  before: Before,
): AsyncGenerator<RunProgress, CallEnd | null> {
  const { clock, terms: { signal } } = context;
  const cut = new AbortController();
  const call = begun(context, command, cut.signal);
  let heardMs = clock.monotonicMs();
  let succeededMs: number | null = null;
  for (;;) {
    const end = await within(call, LOOK_MS, context);
    if (end !== null) return end;
    if (signal.aborted) return null;
    const [tasks, status] = await within(
      Promise.all([
        quietly(tasksOf(context, command)),
        quietly(context.client.getStatus()),
      ]),
      LOOK_MS_MAX,
      context,
    ) ?? [null, null];
    const nowMs = clock.monotonicMs();
    if (tasks !== null) {
      heardMs = nowMs;
      succeededMs = null;
      yield progressOf(tasks);
      continue;
    }
    const isSucceeded = status !== null && status.leader !== "" &&
      status.term > before.term;
    if (isSucceeded) succeededMs ??= nowMs;
    const isLost = nowMs - heardMs >= SILENCE_MS_MAX ||
      succeededMs !== null && nowMs - succeededMs >= SUCCESSION_MS_MAX;
    if (isLost) {
      cut.abort();
      return await call;
    }
  }
}

/** Never rejects. */
async function begun(
  { client, choices, terms }: RunContext,
  command: ChangeCommand,
  cut: AbortSignal,
): Promise<CallEnd> {
  const { confirm, planHash } = terms;
  const accept = risksOf(command, choices.accept);
  const signal = AbortSignal.any([terms.signal, cut]);
  try {
    const options = { confirm, planHash, accept, signal };
    return { outcome: await callCommand(client, command, options) };
  } catch (error) {
    return { outcome: null, error, isCut: cut.aborted };
  }
}
