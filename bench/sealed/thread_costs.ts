import type { ContenderRun } from "../../src/bench/rounds.ts";
import { threadTimes } from "../cpu/threads.ts";

export interface WatchedNodes {
  /** Under which runs are summed up. */
  readonly label: string;
  readonly pids: readonly number[];
  /** Position of the leader among them. */
  readonly leader: number;
}

const MICROS_PER_TICK = 10_000;

/** What requests cost the threads of nodes, by role and kind of thread. */
export class ThreadCosts {
  readonly #micros = new Map<string, Map<string, number>>();
  readonly #answered = new Map<string, number>();

  async watch(
    { label, pids, leader }: WatchedNodes,
    run: () => Promise<ContenderRun>,
  ): Promise<ContenderRun> {
    const before = pids.map(threadTimes);
    const done = await run();
    const sums = this.#micros.get(label) ?? new Map<string, number>();
    this.#micros.set(label, sums);
    for (const [i, pid] of pids.entries()) {
      const role = i === leader ? "leader" : "followers";
      for (const [id, { thread, ...until }] of threadTimes(pid)) {
        const from = before[i]?.get(id) ?? { userTicks: 0, systemTicks: 0 };
        const ticks = until.userTicks + until.systemTicks -
          from.userTicks - from.systemTicks;
        const isMain = Number(id) === pid;
        // Threads of a pool end in a number.
        const kind = isMain ? "main" : thread.replace(/[-\d]+$/, "");
        const name = `${role}, ${kind}`;
        sums.set(name, (sums.get(name) ?? 0) + ticks * MICROS_PER_TICK);
      }
    }
    const answered = this.#answered.get(label) ?? 0;
    this.#answered.set(label, answered + done.answered);
    return done;
  }

  /** Microseconds of processor time per request: a row for each label. */
  table(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return Object.fromEntries(
      [...this.#micros].map(([label, sums]) => {
        const answered = this.#answered.get(label) ?? 1;
        const each = [...sums].sort().map(([name, micros]) =>
          [name, Number((micros / answered).toFixed(1))] as const
        ).filter(([, micros]) => micros >= 1);
        return [label, Object.fromEntries(each)];
      }),
    );
  }
}
