import type { ClusterScan, ClusterTask } from "../admin/client.ts";
import { NodeError } from "../base/error.ts";
import { pause } from "../io/pause.ts";
import { StepUnfinishedError } from "./errors.ts";
import {
  progressOf,
  type RunContext,
  type RunProgress,
} from "./run_context.ts";

/** Nobody knew of it for as long: who follows it is told. */
const LOST_MS_MAX = 60_000;
const AGAIN_MS = 500;

const AGAIN: ReadonlySet<string> = new Set([
  "ADMIN_NO_LEADER",
  "ADMIN_STOPPING",
  "ADMIN_UNREACHABLE",
  "NODE_NOT_LEADER",
  "NODE_NOT_READY",
]);

/**
 * Follows the rewrite until every member is done, through whoever answers;
 * false when `terms.signal` ended the look.
 *
 * @throws {StepUnfinishedError} Members failed.
 * @throws {NodeError} Nobody answered for LOST_MS_MAX.
 */
export async function* followRewrite(
  { client, clock, terms }: RunContext,
): AsyncGenerator<RunProgress, boolean> {
  const { signal } = terms;
  let heardMs = clock.monotonicMs();
  while (!signal.aborted) {
    try {
      for await (const { job, members } of client.watchRewrite(signal)) {
        heardMs = clock.monotonicMs();
        const isPaused = job?.isPaused ?? false;
        const bytesPerSecond = job?.bytesPerSecond ?? null;
        const progress = { tasks: members, isPaused, bytesPerSecond };
        yield { kind: "progress", progress };
        if (hasEnded(members)) return true;
      }
    } catch (error) {
      if (!isPassing(error, clock.monotonicMs() - heardMs)) throw error;
    }
    await pause(AGAIN_MS, clock, signal);
  }
  return false;
}

/** @throws {StepUnfinishedError} All have ended, and some failed. */
function hasEnded(members: readonly ClusterTask[]): boolean {
  const hasEnded = members.length > 0 &&
    members.every(({ state }) => state === "done" || state === "failed");
  const failed = members.filter(({ state }) => state === "failed");
  if (!hasEnded || failed.length === 0) return hasEnded;
  throw new StepUnfinishedError(
    "the rewrite",
    failed.map(({ member, failure }) => `"${member}" failed: ${failure}`)
      .join("; "),
    "Do on each member what is said of it: it tries again by itself; then " +
      "give the command again",
  );
}

/**
 * Has every member count its records, anew by the next leader when one goes;
 * false when `terms.signal` ended it.
 *
 * @throws {StepUnfinishedError} Cleartext is left, or one did not count.
 * @throws {NodeError} Nobody answered for LOST_MS_MAX.
 */
export async function* followCount(
  { client, clock, terms }: RunContext,
): AsyncGenerator<RunProgress, boolean> {
  const { signal } = terms;
  let heardMs = clock.monotonicMs();
  while (!signal.aborted) {
    let scans: readonly ClusterScan[] = [];
    try {
      for await (const look of client.verifyRecords([], signal)) {
        heardMs = clock.monotonicMs();
        scans = look;
        yield progressOf(scans);
      }
      return !signal.aborted && areCounted(scans);
    } catch (error) {
      if (!isPassing(error, clock.monotonicMs() - heardMs)) throw error;
    }
    await pause(AGAIN_MS, clock, signal);
  }
  return false;
}

/** @throws {StepUnfinishedError} */
function areCounted(scans: readonly ClusterScan[]): true {
  const left = scans.flatMap(({ member, counts, state }) =>
    counts === null
      ? [`"${member}" did not count all (${state})`]
      : counts.cleartext > 0n
      ? [`"${member}" has ${counts.cleartext} cleartext records`]
      : []
  );
  if (scans.length > 0 && left.length === 0) return true;
  throw new StepUnfinishedError(
    "the count of records",
    left.join("; ") || "no word of any member",
    "Start or repair these members, as `sealkv status` shows them, then " +
      "count again: `sealkv encryption status --verify`",
  );
}

/** A leader went, and not too long ago: another one goes on. */
function isPassing(error: unknown, silentMs: number): boolean {
  return error instanceof NodeError && AGAIN.has(error.code) &&
    silentMs < LOST_MS_MAX;
}
