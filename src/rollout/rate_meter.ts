import type { ClusterTask } from "../admin/client.ts";
import { present } from "../base/assert.ts";

/** How fast members get on, and until when, if they go on so. */
export interface RateEstimate {
  /** Of values, all members together, lately. */
  readonly bytesPerSecond: number;
  /**
   * Until the last member is done: by its best and its worst rate; Infinity
   * where one stands still.
   */
  readonly remainingMs: { readonly least: number; readonly most: number };
}

/** Before, a rate is mostly its own beginning. */
const SPAN_MS_MIN = 30_000;
const SHARE_MIN = 0.02;
/** What "lately" means. */
const WINDOW_MS = 30_000;

interface Sample {
  readonly atMs: number;
  readonly tasks: ReadonlyMap<string, ClusterTask>;
}

/** Rate and end of a long task, from looks at it. */
export class RateMeter {
  /** The first one, and those of the window. */
  #samples: readonly Sample[] = [];

  /** `atMs` never goes back. */
  add(atMs: number, given: readonly ClusterTask[]): void {
    const tasks = new Map(given.map((task) => [task.member, task]));
    const last = this.#samples.at(-1);
    // Begun anew, or at rest: what was is no measure of what comes.
    const isAnew = last !== undefined &&
      given.some(({ member, done }) =>
        done < (last.tasks.get(member)?.done ?? 0n)
      );
    const isAtRest = given.every(({ state }) => state !== "running");
    if (isAnew || isAtRest) this.#samples = [];
    const [first, ...rest] = this.#samples;
    const sample = { atMs, tasks };
    this.#samples = first === undefined
      ? [sample]
      : [first, ...rest.filter((one) => one.atMs > atMs - WINDOW_MS), sample];
  }

  /** `null` while it is too early to tell. */
  estimate(): RateEstimate | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return null;
    if (last.atMs - first.atMs < SPAN_MS_MIN) return null;
    const running = [...last.tasks.values()]
      .filter(({ state }) => state === "running");
    const isEarly = running.some(({ done, total }) =>
      total === 0n || Number(done) / Number(total) < SHARE_MIN
    );
    if (running.length === 0 || isEarly) return null;
    const second = present(this.#samples[1], "a second look");
    const recent = second === last ? first : second;
    const ends = running.map((task) => [
      remainingMs(task, first, last),
      remainingMs(task, recent, last),
    ]);
    return {
      bytesPerSecond: rateOf(running, recent, last),
      remainingMs: {
        least: Math.max(...ends.map((both) => Math.min(...both))),
        most: Math.max(...ends.map((both) => Math.max(...both))),
      },
    };
  }
}

function remainingMs(
  { member, done, total }: ClusterTask,
  from: Sample,
  to: Sample,
): number {
  const since = done - (from.tasks.get(member)?.done ?? 0n);
  const left = total > done ? total - done : 0n;
  return Number(left) * (to.atMs - from.atMs) / Number(since);
}

function rateOf(
  running: readonly ClusterTask[],
  from: Sample,
  to: Sample,
): number {
  const bytes = running.map(({ member, bytes }) =>
    Number(bytes - (from.tasks.get(member)?.bytes ?? 0n))
  ).reduce((sum, one) => sum + one, 0);
  return to.atMs === from.atMs ? 0 : bytes * 1_000 / (to.atMs - from.atMs);
}
