import type { Clock } from "../../../io/clock.ts";
import type { Random } from "../../../io/random.ts";
import type { RaftId } from "../../../raft/types.ts";
import { MemberSilentError, MemberTaskFailedError } from "../task_errors.ts";
import {
  type MemberReport,
  NO_FINDING,
  type TaskAsk,
  type TaskReport,
  type TaskSpec,
  type TaskTarget,
} from "./task.ts";

export interface MemberTasksHost {
  readonly self: RaftId;
  readonly clock: Clock;
  readonly random: Random;
  /** False when there is no way to `to` now. */
  send(to: RaftId, ask: TaskAsk): boolean;
  /** What this node says when it is asked. */
  answer(ask: TaskAsk): TaskReport;
}

/** A member that says nothing for so long is given up on. */
export const TASK_SILENT_MS = 10_000;
/** A question that is asked once is given up on after this. */
const ONCE_MS = 1_000;
/** Between two questions: at first, and as a task goes on. */
const POLL_MS_MIN = 20;
const POLL_MS_MAX = 500;

/** Throws a NodeError once this node may not ask any more. */
export type MustLead = () => void;

export interface RunTerms {
  /** What cannot be done when the task is not. */
  readonly action: string;
  readonly mustLead: MustLead;
  /** Hears how they get on. */
  readonly told: (news: readonly MemberReport[]) => void;
}

interface Asked {
  readonly target: TaskTarget;
  report: MemberReport;
  heardMs: number;
  isHeard: boolean;
}

/**
 * Has members carry tasks out, for the leader: asks each of them again and
 * again, which begins the task where it is not known, until all have ended.
 */
export class MemberTasks {
  readonly #host: MemberTasksHost;
  /** Who waits for reports, by task. */
  readonly #waiting = new Map<
    number,
    (from: RaftId, report: TaskReport) => void
  >();

  constructor(host: MemberTasksHost) {
    this.#host = host;
  }

  /** Takes a report; one that nobody waits for is dropped. */
  onReport(from: RaftId, report: TaskReport): void {
    this.#waiting.get(report.task)?.(from, report);
  }

  /**
   * How all of them get on, in their order, until the last one has ended:
   * done, failed, or silent for TASK_SILENT_MS.
   *
   * @throws {NodeError} As `mustLead`; what runs on members ends by itself.
   */
  async *follow(
    spec: TaskSpec,
    targets: readonly TaskTarget[],
    mustLead: MustLead,
  ): AsyncGenerator<readonly MemberReport[]> {
    const task = this.#draw();
    const asked = this.#expect(task, targets);
    try {
      for (
        let pollMs = POLL_MS_MIN;;
        pollMs = Math.min(pollMs * 2, POLL_MS_MAX)
      ) {
        mustLead();
        this.#ask({ task, spec }, asked);
        await this.#pass(pollMs);
        this.#silence(asked, TASK_SILENT_MS);
        yield asked.map(({ report }) => report);
        if (asked.every(({ report }) => isEnded(report))) return;
      }
    } finally {
      this.#waiting.delete(task);
    }
  }

  /**
   * As `follow`, to the end.
   *
   * @throws {NodeError} NODE_MEMBER_SILENT, NODE_MEMBER_TASK_FAILED, and what
   * `follow` throws.
   */
  async run(
    spec: TaskSpec,
    targets: readonly TaskTarget[],
    { action, mustLead, told }: RunTerms,
  ): Promise<readonly MemberReport[]> {
    let reports: readonly MemberReport[] = [];
    for await (const news of this.follow(spec, targets, mustLead)) {
      reports = news;
      told(news);
    }
    const failures = reports.filter(({ state }) => state === "failed");
    if (failures.length > 0) throw new MemberTaskFailedError(action, failures);
    const silent = reports.filter(({ state }) => state === "silent");
    if (silent.length > 0) {
      throw new MemberSilentError(action, silent.map(({ member }) => member));
    }
    return reports;
  }

  /** What each of them says now; those that say nothing soon are silent. */
  async poll(
    spec: TaskSpec,
    targets: readonly TaskTarget[],
    mustLead: MustLead,
  ): Promise<readonly MemberReport[]> {
    const { clock } = this.#host;
    mustLead();
    const task = this.#draw();
    const asked = this.#expect(task, targets);
    const untilMs = clock.monotonicMs() + ONCE_MS;
    try {
      for (let pollMs = POLL_MS_MIN;; pollMs *= 2) {
        const missing = asked.filter(({ isHeard }) => !isHeard);
        const leftMs = untilMs - clock.monotonicMs();
        if (missing.length === 0 || leftMs <= 0) break;
        this.#ask({ task, spec }, missing);
        if (missing.some(({ isHeard }) => !isHeard)) {
          await this.#pass(Math.min(pollMs, leftMs));
        }
      }
      this.#silence(asked.filter(({ isHeard }) => !isHeard), 0);
      return asked.map(({ report }) => report);
    } finally {
      this.#waiting.delete(task);
    }
  }

  #draw(): number {
    const { random } = this.#host;
    return random.below(2 ** 31) * 2 ** 21 + random.below(2 ** 21) + 1;
  }

  #expect(task: number, targets: readonly TaskTarget[]): readonly Asked[] {
    const { clock } = this.#host;
    const asked = targets.map((target): Asked => ({
      target,
      report: { member: target.name, ...UNHEARD },
      heardMs: clock.monotonicMs(),
      isHeard: false,
    }));
    this.#waiting.set(task, (from, report) => {
      const one = asked.find(({ target }) => target.id === from);
      if (one !== undefined) this.#hear(one, report);
    });
    return asked;
  }

  #hear(one: Asked, { task: _, ...how }: TaskReport): void {
    if (isEnded(one.report)) return;
    one.report = { member: one.target.name, ...how };
    one.heardMs = this.#host.clock.monotonicMs();
    one.isHeard = true;
  }

  #ask(ask: TaskAsk, asked: readonly Asked[]): void {
    for (const one of asked) {
      if (isEnded(one.report)) continue;
      const { id } = one.target;
      if (id === this.#host.self) this.#hear(one, this.#host.answer(ask));
      else this.#host.send(id, ask);
    }
  }

  #silence(asked: readonly Asked[], silentMs: number): void {
    const nowMs = this.#host.clock.monotonicMs();
    for (const one of asked) {
      if (isEnded(one.report) || nowMs - one.heardMs < silentMs) continue;
      one.report = { ...one.report, state: "silent" };
    }
  }

  #pass(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#host.clock.after(ms, resolve);
    return promise;
  }
}

const UNHEARD: Omit<MemberReport, "member"> = {
  state: "waiting",
  ...{ done: 0, total: 0, bytes: 0, elapsedMs: 0, failure: "" },
  ...NO_FINDING,
};

function isEnded({ state }: Pick<MemberReport, "state">): boolean {
  return state === "done" || state === "failed" || state === "silent";
}
