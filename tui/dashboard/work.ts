import type { ClusterTask } from "../../src/admin/client.ts";
import { sizeText } from "../../src/base/size.ts";
import { ageText } from "./amount.ts";
import type { Seen } from "./seen.ts";

/** Before either, what is left is a guess. */
const EARLY_SHARE = 0.02;
const EARLY_MS = 30_000;

/** Something that members take their time for. */
export interface Work {
  /** As its command is called. */
  readonly action: string;
  /** Of [0, 1] over all members; `null` while a member does not know it. */
  readonly share: number | null;
  /** What a bar does not say. */
  readonly text: string;
  readonly isWell: boolean;
}

/** What is under way; a rewrite that everyone is through with is not. */
export function workOf(
  { rewrite, underWay }: Pick<Seen, "rewrite" | "underWay">,
): readonly Work[] {
  const work: Work[] = [];
  const job = rewrite?.job ?? null;
  if (rewrite !== null && job !== null && !isThrough(rewrite.members)) {
    const bound = job.bytesPerSecond === 0n
      ? "no bound"
      : `max ${sizeText(Number(job.bytesPerSecond))}/s`;
    const pace = job.isPaused ? "PAUSED" : bound;
    work.push(workWith("rewrite", rewrite.members, pace));
  }
  if (underWay !== null) {
    work.push(workWith(underWay.action, underWay.members, ""));
  }
  return work;
}

/** Share of one member; `null` while it does not know its total. */
function shareOf({ state, done, total }: ClusterTask): number | null {
  if (state === "done") return 1;
  if (total === 0n) return null;
  return Math.min(1, Number(done) / Number(total));
}

function workWith(
  action: string,
  tasks: readonly ClusterTask[],
  pace: string,
): Work {
  const halted = tasks.filter(({ state }) =>
    state === "failed" || state === "silent"
  );
  const through = tasks.filter(({ state }) => state === "done").length;
  const leftMs = leftMsOf(tasks);
  const parts = [
    `${through} of ${tasks.length} done`,
    ...leftMs === null ? [] : [`${ageText(leftMs)} left`],
    ...halted.map(({ member, state }) =>
      state === "failed" ? `${member} FAILED` : `${member} SILENT`
    ),
    ...pace === "" ? [] : [pace],
  ];
  return {
    action,
    share: meanShare(tasks),
    text: parts.join(", "),
    isWell: halted.length === 0,
  };
}

function meanShare(tasks: readonly ClusterTask[]): number | null {
  const shares = tasks.map(shareOf);
  if (shares.length === 0) return null;
  let sum = 0;
  for (const share of shares) {
    if (share === null) return null;
    sum += share;
  }
  return sum / shares.length;
}

/** Of the slowest, if it goes on so; `null` before that can be told. */
function leftMsOf(tasks: readonly ClusterTask[]): number | null {
  const running = tasks.filter(({ state }) => state === "running");
  const left = running.map((task) => {
    const share = shareOf(task) ?? 0;
    const elapsedMs = Number(task.elapsedMs);
    const isEarly = share < EARLY_SHARE && elapsedMs < EARLY_MS;
    return isEarly || share === 0 ? null : elapsedMs / share - elapsedMs;
  });
  const known = left.filter((ms) => ms !== null);
  return known.length < running.length || known.length === 0
    ? null
    : Math.max(...known);
}

function isThrough(tasks: readonly ClusterTask[]): boolean {
  return tasks.length > 0 && tasks.every(({ state }) => state === "done");
}
