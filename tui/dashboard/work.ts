import type { ClusterTask } from "../../src/admin/client.ts";
import { countText, sizeText } from "./amount.ts";
import type { Seen } from "./seen.ts";

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
    const rate = job.bytesPerSecond === 0n
      ? "no bound"
      : `at most ${sizeText(Number(job.bytesPerSecond))}/s each`;
    const pace = job.isPaused ? "PAUSED" : rate;
    work.push(workWith("rewrite", rewrite.members, pace));
  }
  if (underWay !== null) {
    work.push(workWith(underWay.action, underWay.members, ""));
  }
  return work;
}

/** Share of one member; `null` while it does not know its total. */
export function shareOf({ state, done, total }: ClusterTask): number | null {
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
  const perSecond = tasks.reduce((all, task) => all + speedOf(task), 0);
  const parts = [
    `${through} of ${tasks.length} members done`,
    ...halted.map(({ member, state }) =>
      state === "failed" ? `${member} FAILED` : `${member} does not answer`
    ),
    ...perSecond === 0 ? [] : [`${countText(perSecond)} records/s`],
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

/** Records a second since it began there; 0 unless it runs. */
function speedOf({ state, done, elapsedMs }: ClusterTask): number {
  if (state !== "running" || elapsedMs <= 0n) return 0;
  return Number(done) / Number(elapsedMs) * 1_000;
}

function isThrough(tasks: readonly ClusterTask[]): boolean {
  return tasks.length > 0 && tasks.every(({ state }) => state === "done");
}
