import type {
  AdminClient,
  ClusterRewrite,
  ClusterRewriteProgress,
  ClusterTask,
} from "../../admin/client.ts";
import { formatSize } from "../../base/size.ts";
import { UnfinishedError } from "../errors.ts";
import { untilInterrupted } from "../interrupt.ts";
import { Progress } from "../progress.ts";
import type { Services } from "../services.ts";
import { barLines, taskJson, taskLine } from "../task_text.ts";

export interface RewriteFollow {
  /** `null`: as long as it takes. */
  readonly waitMs: number | null;
  readonly isJson: boolean;
}

const GOES_ON = "The members go on by themselves, as " +
  "`sealkv encryption status` shows; `sealkv encryption rewrite --resume --follow` " +
  "looks on again";
const RETRY = "Do on each member what is said of it: it tries again by " +
  "itself; `sealkv encryption rewrite --resume --follow` looks on again";

/**
 * Looks on until every member is done; true when a stop signal ended the look.
 *
 * @throws {UnfinishedError} After `waitMs`, and when members failed.
 */
export async function followRewrite(
  services: Services,
  client: AdminClient,
  { waitMs, isJson }: RewriteFollow,
): Promise<boolean> {
  const { terminal, clock, process } = services;
  const stop = new AbortController();
  const late = waitMs === null ? null : clock.after(waitMs, () => stop.abort());
  const progress = new Progress(terminal, clock);
  let last: ClusterRewriteProgress = { job: null, members: [] };
  const isInterrupted = await untilInterrupted(process, async ({ first }) => {
    first.then(() => stop.abort());
    try {
      for await (const look of client.watchRewrite(stop.signal)) {
        last = look;
        if (isJson) terminal.out.write(lookJson(look));
        else progress.show(look.members);
        if (hasEnded(look.members)) break;
      }
    } finally {
      late?.cancel();
      progress.clear();
    }
  });
  if (hasEnded(last.members)) {
    showEnd(services, last.members, isJson);
    return false;
  }
  if (!isInterrupted) throw unfinished(last.members, GOES_ON);
  if (!isJson) terminal.err.write(`no longer looking. ${GOES_ON}\n`);
  return true;
}

/** The job in words. */
export function rewriteText(
  { bytesPerSecond, isPaused }: ClusterRewrite,
  members: readonly ClusterTask[] | null,
): string {
  const isDone = members !== null && members.length > 0 &&
    members.every(({ state }) => state === "done");
  if (isDone) return "rewrite done";
  const rate = bytesPerSecond === 0n
    ? "no bound"
    : `at most ${formatSize(Number(bytesPerSecond))} a second on each member`;
  return `rewrite ${isPaused ? "PAUSED" : "under way"}, ${rate}`;
}

/** The job of JSON; `members` where they are known. */
export function rewriteJson(
  job: ClusterRewrite | null,
  members: readonly ClusterTask[] | null,
) {
  return job === null ? null : {
    id: String(job.id),
    bytesPerSecond: String(job.bytesPerSecond),
    paused: job.isPaused,
    members: members?.map(taskJson) ?? null,
  };
}

function lookJson({ job, members }: ClusterRewriteProgress): string {
  return `${JSON.stringify({ rewrite: rewriteJson(job, members) })}\n`;
}

function hasEnded(members: readonly ClusterTask[]): boolean {
  return members.length > 0 &&
    members.every(({ state }) => state === "done" || state === "failed");
}

/** @throws {UnfinishedError} */
function showEnd(
  { terminal }: Services,
  members: readonly ClusterTask[],
  isJson: boolean,
): void {
  if (!isJson) {
    terminal.out.write(barLines(members).map((line) => `${line}\n`).join(""));
  }
  const failed = members.filter(({ state }) => state === "failed");
  if (failed.length > 0) throw unfinished(failed, RETRY);
  if (isJson) return;
  const count = members.length === 1 ? "the only member" : "every member";
  terminal.out.write(
    `rewritten on ${count}; \`sealkv encryption status --verify\` counts\n`,
  );
}

function unfinished(
  members: readonly ClusterTask[],
  remedy: string,
): UnfinishedError {
  const state = members.length === 0
    ? "no word of any member"
    : taskLine(members);
  return new UnfinishedError("the rewrite done on every member", state, remedy);
}
