import { NodeError } from "../../../base/error.ts";
import type { Clock } from "../../../io/clock.ts";
import type { LogIndex } from "../../../raft/types.ts";
import { TaskFailure } from "./failure.ts";
import { FAILURE_LENGTH_MAX } from "./packet.ts";
import {
  NO_FINDING,
  type TaskAsk,
  type TaskFinding,
  type TaskProgress,
  type TaskReport,
  type WorkSpec,
} from "./task.ts";

/** What a task tells while it is carried out, and is told. */
export interface TaskControl {
  /** Nobody wants it any more: it ends soon, however. */
  isOver(): boolean;
  /** Resolves, soon after it is over, or when `ms` have passed. */
  sleep(ms: number): Promise<void>;
  progress(
    how: Partial<Pick<TaskProgress, "state" | "done" | "total" | "bytes">>,
  ): void;
}

export interface TaskRunnerHost {
  readonly clock: Clock;
  /** @throws {NodeError | TaskFailure} Why not; that is its outcome. */
  perform(spec: WorkSpec, control: TaskControl): Promise<TaskFinding>;
  /** Index of the last entry that is applied here. */
  applied(): LogIndex;
  /** How the rewrite job gets on here. */
  rewrite(): TaskProgress;
  /** This program is wrong. */
  failed(error: unknown): void;
}

interface Known {
  progress: TaskProgress;
  readonly sinceMs: number;
  askedMs: number;
  /** For ever, whoever asks again. */
  isOver: boolean;
  readonly ended: Promise<void>;
}

/** A task that nobody has asked about for so long is given up. */
export const TASK_ABANDONED_MS = 30_000;
/** Tasks at once; beyond it one that is asked for fails. */
const RUNNING_MAX = 4;
/** Ended tasks whose outcome can still be asked for. */
const ENDED_MAX = 16;
/** How soon a task that sleeps notices that it is over. */
const NOTICE_MS = 500;

/** Carries out, on one member, what the leader asks of it. */
export class TaskRunner {
  readonly #host: TaskRunnerHost;
  readonly #tasks = new Map<number, Known>();
  #isStopped = false;

  constructor(host: TaskRunnerHost) {
    this.#host = host;
  }

  /** Begins the task unless it knows it, and tells how it gets on. */
  onAsk({ task, spec }: TaskAsk): TaskReport {
    if (spec.kind === "rewrite") {
      // The end of an older job is not the end of the one that is asked about.
      const isThere = this.#host.applied() >= spec.appliedFrom;
      return { task, ...isThere ? this.#host.rewrite() : WAITING };
    }
    // Its next process begins anew.
    if (this.#isStopped) return { task, ...WAITING };
    const nowMs = this.#host.clock.monotonicMs();
    const known = this.#tasks.get(task);
    if (known !== undefined) {
      known.askedMs = nowMs;
      const elapsedMs = isEnded(known.progress)
        ? known.progress.elapsedMs
        : elapsed(nowMs, known);
      return { task, ...known.progress, elapsedMs };
    }
    if (this.#running().length >= RUNNING_MAX) {
      const failure = `${RUNNING_MAX} tasks are under way there`;
      return { task, ...WAITING, state: "failed", failure };
    }
    return { task, ...this.#begin(task, spec, nowMs).progress };
  }

  /** Ends all tasks; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running().map(({ ended }) => ended));
  }

  #begin(task: number, spec: WorkSpec, nowMs: number): Known {
    this.#forget();
    const { promise, resolve } = Promise.withResolvers<void>();
    const known: Known = {
      progress: WAITING,
      sinceMs: nowMs,
      askedMs: nowMs,
      isOver: false,
      ended: promise,
    };
    this.#tasks.set(task, known);
    void this.#carryOut(spec, known).finally(resolve);
    return known;
  }

  async #carryOut(spec: WorkSpec, known: Known): Promise<void> {
    const { clock } = this.#host;
    const end = (how: Partial<TaskProgress>) => {
      const elapsedMs = elapsed(clock.monotonicMs(), known);
      known.progress = { ...known.progress, ...how, elapsedMs };
    };
    try {
      const control = this.#controlOf(known);
      const finding = await this.#host.perform(spec, control);
      end(
        control.isOver()
          ? { state: "failed", failure: "it was given up" }
          : { state: "done", ...finding },
      );
    } catch (error) {
      end({ state: "failed", failure: failureOf(error) });
      const isKnown = error instanceof NodeError ||
        error instanceof TaskFailure;
      if (!isKnown) this.#host.failed(error);
    }
  }

  #controlOf(known: Known): TaskControl {
    const { clock } = this.#host;
    const isOver = () => {
      // What has ended on the way must not count as done later.
      known.isOver ||= this.#isStopped ||
        clock.monotonicMs() - known.askedMs > TASK_ABANDONED_MS;
      return known.isOver;
    };
    return {
      isOver,
      sleep: async (ms) => {
        const untilMs = clock.monotonicMs() + ms;
        for (;;) {
          const leftMs = untilMs - clock.monotonicMs();
          if (leftMs <= 0 || isOver()) return;
          await sleep(clock, Math.min(leftMs, NOTICE_MS));
        }
      },
      progress: (how) => {
        known.progress = { ...known.progress, ...how };
      },
    };
  }

  #running(): readonly Known[] {
    return [...this.#tasks.values()].filter(({ progress }) =>
      !isEnded(progress)
    );
  }

  /** Oldest ones first. */
  #forget(): void {
    const ended = [...this.#tasks].filter(([_, { progress }]) =>
      isEnded(progress)
    );
    const tooMany = Math.max(ended.length - ENDED_MAX + 1, 0);
    for (const [task] of ended.slice(0, tooMany)) this.#tasks.delete(task);
  }
}

const WAITING: TaskProgress = {
  state: "waiting",
  ...{ done: 0, total: 0, bytes: 0, elapsedMs: 0, failure: "" },
  ...NO_FINDING,
};

function isEnded({ state }: TaskProgress): boolean {
  return state === "done" || state === "failed";
}

function elapsed(nowMs: number, { sinceMs }: Known): number {
  return Math.max(Math.round(nowMs - sinceMs), 0);
}

/** In words that may travel. */
export function failureOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  const what = error instanceof NodeError
    ? `${said} (${error.code}); ${error.remedy}`
    : said;
  return what.slice(0, FAILURE_LENGTH_MAX);
}

function sleep(clock: Clock, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  clock.after(ms, resolve);
  return promise;
}
