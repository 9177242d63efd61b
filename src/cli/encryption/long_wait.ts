import type { EncryptionOutcome } from "../../admin/client.ts";
import { NodeError } from "../../base/error.ts";
import { UnfinishedError } from "../errors.ts";
import { untilInterrupted } from "../interrupt.ts";
import type { Services } from "../services.ts";
import { spanText } from "../task_text.ts";

export interface LongWait {
  /** As the command is called. */
  readonly name: string;
  /** `null`: as long as it takes. */
  readonly waitMs: number | null;
  readonly isJson: boolean;
}

const TICK_MS = 1_000;

/**
 * Waits for a change that members take their time for; `null` when a stop
 * signal ended the wait. Only the wait ends then: the change goes on.
 *
 * @throws {UnfinishedError} After `waitMs`.
 */
export async function waitForChange(
  services: Services,
  wait: LongWait,
  ask: (signal: AbortSignal) => Promise<EncryptionOutcome>,
): Promise<EncryptionOutcome | null> {
  const { clock, process, terminal } = services;
  const { name, waitMs, isJson } = wait;
  const stop = new AbortController();
  let isLate = false;
  const late = waitMs === null ? null : clock.after(waitMs, () => {
    isLate = true;
    stop.abort();
  });
  const ticks = isJson ? null : tick(services);
  let outcome: EncryptionOutcome | null = null;
  const isInterrupted = await untilInterrupted(process, async ({ first }) => {
    first.then(() => stop.abort());
    try {
      outcome = await ask(stop.signal);
    } catch (error) {
      if (!stop.signal.aborted || !isUnknown(error)) throw error;
    } finally {
      late?.cancel();
      ticks?.cancel();
    }
  });
  if (outcome !== null) return outcome;
  const remedy = `The cluster goes on with it: ` +
    "`sealkv encryption history` tells what became of it";
  if (isLate && !isInterrupted) {
    const state = `no answer of the leader after ${spanText(waitMs ?? 0)}`;
    throw new UnfinishedError(`the end of "${name}"`, state, remedy);
  }
  if (!isJson) terminal.err.write(`no longer waiting. ${remedy}\n`);
  return null;
}

function isUnknown(error: unknown): boolean {
  return error instanceof NodeError && error.code === "ADMIN_OUTCOME_UNKNOWN";
}

/** Shows that something is waited for, on a terminal only. */
function tick({ clock, terminal: { err, env } }: Services) {
  if (!err.isTerminal || env("TERM") === "dumb") return null;
  const startMs = clock.monotonicMs();
  let timer = clock.after(TICK_MS, again);
  function again(): void {
    const span = spanText(clock.monotonicMs() - startMs);
    err.write(`\rwaiting for the members, ${span}\x1b[K`);
    timer = clock.after(TICK_MS, again);
  }
  return {
    cancel() {
      timer.cancel();
      err.write("\r\x1b[K");
    },
  };
}
