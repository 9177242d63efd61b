import type { AdminClient, ClusterScan } from "../../admin/client.ts";
import { UnfinishedError } from "../errors.ts";
import { untilInterrupted } from "../interrupt.ts";
import { Progress } from "../progress.ts";
import type { Services } from "../services.ts";
import { taskLine } from "../task_text.ts";

export interface Verify {
  /** Names; none: all members. */
  readonly members: readonly string[];
  /** `null`: as long as it takes. */
  readonly waitMs: number | null;
  readonly isJson: boolean;
}

/**
 * Has members count all their records; `null` when a stop signal ended it.
 *
 * @throws {UnfinishedError} After `waitMs`.
 */
export async function verifyRecords(
  { terminal, clock, process }: Services,
  client: AdminClient,
  { members, waitMs, isJson }: Verify,
): Promise<readonly ClusterScan[] | null> {
  const stop = new AbortController();
  const late = waitMs === null ? null : clock.after(waitMs, () => stop.abort());
  const progress = new Progress(terminal, clock);
  let scans: readonly ClusterScan[] = [];
  const isInterrupted = await untilInterrupted(process, async ({ first }) => {
    first.then(() => stop.abort());
    try {
      for await (const look of client.verifyRecords(members, stop.signal)) {
        scans = look;
        if (!isJson) progress.show(scans);
      }
    } finally {
      late?.cancel();
      progress.clear();
    }
  });
  if (!stop.signal.aborted) return scans;
  if (isInterrupted) return null;
  throw unfinished(scans, "Give it a longer --wait");
}

/** @throws {UnfinishedError} When a member did not count all its records. */
export function mustBeCounted(scans: readonly ClusterScan[]): void {
  const uncounted = scans.filter(({ counts }) => counts === null);
  if (scans.length > 0 && uncounted.length === 0) return;
  throw unfinished(
    uncounted,
    "Start or repair these members, as `sealkv status` shows them, then " +
      "count again; --node counts one member alone",
  );
}

function unfinished(
  scans: readonly ClusterScan[],
  remedy: string,
): UnfinishedError {
  const state = scans.length === 0 ? "no word of any member" : taskLine(scans);
  return new UnfinishedError("the records of every member", state, remedy);
}
