import type {
  AdminClient,
  ClusterTask,
  EncryptionOutcome,
} from "../../admin/client.ts";
import { NodeError } from "../../base/error.ts";
import { UnfinishedError } from "../errors.ts";
import { untilInterrupted } from "../interrupt.ts";
import { Progress } from "../progress.ts";
import type { Services } from "../services.ts";
import { spanText } from "../task_text.ts";

export interface LongWait {
  readonly client: AdminClient;
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
  const { client, name, waitMs, isJson } = wait;
  const stop = new AbortController();
  let isLate = false;
  const late = waitMs === null ? null : clock.after(waitMs, () => {
    isLate = true;
    stop.abort();
  });
  const looks = isJson ? null : lookOn(services, client, name);
  let outcome: EncryptionOutcome | null = null;
  const isInterrupted = await untilInterrupted(process, async ({ first }) => {
    first.then(() => stop.abort());
    try {
      outcome = await ask(stop.signal);
    } catch (error) {
      if (!stop.signal.aborted || !isUnknown(error)) throw error;
    } finally {
      late?.cancel();
      looks?.cancel();
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

/** Shows how members get on, until it is cancelled. */
function lookOn(
  { clock, terminal }: Services,
  client: AdminClient,
  name: string,
): { cancel(): void } {
  const progress = new Progress(terminal, clock);
  const startMs = clock.monotonicMs();
  let isOver = false;
  let timer = clock.after(TICK_MS, look);
  async function look(): Promise<void> {
    const tasks = await tasksOf(client, name);
    if (isOver) return;
    const span = spanText(clock.monotonicMs() - startMs);
    if (tasks.length > 0) progress.show(tasks);
    else progress.wait(`waiting for the members, ${span}`);
    timer = clock.after(TICK_MS, look);
  }
  return {
    cancel() {
      isOver = true;
      timer.cancel();
      progress.clear();
    },
  };
}

/** Empty when nobody can tell: the change itself says what is wrong. */
async function tasksOf(
  client: AdminClient,
  name: string,
): Promise<readonly ClusterTask[]> {
  try {
    const change = await client.changeUnderWay();
    return change?.action === name ? change.members : [];
  } catch {
    return [];
  }
}
