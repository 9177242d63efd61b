import type { SimClock } from "../io/clock.ts";
import type { SimNodeObserver } from "./sim_node.ts";

/** What a life tells its world. */
export interface LifeHost {
  readonly name: string;
  readonly time: SimClock;
  readonly observer: SimNodeObserver;
  /** Called before each task of the process: one event of the run. */
  onTask(life: Life): void;
  /** The armed operation is reached: the machine dies in or around it. */
  onArmed(effect: () => Promise<unknown>): void;
}

/** Virtual ms before an operation takes effect, and until it is told of. */
export interface Latency {
  readonly before: number;
  readonly after: number;
}

/**
 * One run of a node's process: everything that reaches it passes here, so that
 * it can be held (SIGSTOP) and ended (kill) between any two of its tasks.
 *
 * What the process awaits when it ends never settles.
 */
export class Life {
  /** The life whose task runs, or ran last: one event touches one life. */
  static current: Life | null = null;
  readonly number: number;
  readonly host: LifeHost;
  /** Reasons for which this life may stop by itself. */
  readonly excuses = new Set<string>();
  /** Ends the machine in this operation, counted from 1. */
  armedAt = Infinity;
  operations = 0;
  #state: "running" | "held" | "ended" = "running";
  readonly #waiting: (() => void)[] = [];
  readonly #onEnd = new Set<() => void>();

  constructor(host: LifeHost, number: number) {
    this.host = host;
    this.number = number;
  }

  get isEnded(): boolean {
    return this.#state === "ended";
  }

  get isHeld(): boolean {
    return this.#state === "held";
  }

  /** Runs `task` as the process, later while it is held, never once ended. */
  run(task: () => void): void {
    if (this.#state === "ended") return;
    if (this.#state === "held") {
      this.#waiting.push(task);
      return;
    }
    Life.current = this;
    this.host.onTask(this);
    task();
  }

  /** Runs `task` as an event of its own. */
  later(delayMs: number, task: () => void): void {
    this.host.time.after(delayMs, () => this.run(task));
  }

  /** Lets time pass for the process. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve));
  }

  /** An operation of the outside world: `effect` takes place although held. */
  operate<T>(
    { before, after }: Latency,
    effect: () => Promise<T>,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.isEnded) return promise;
    this.operations += 1;
    const isArmed = this.operations === this.armedAt;
    this.host.time.after(before, () => {
      if (this.isEnded) return;
      if (isArmed) return this.host.onArmed(effect);
      effect().then(
        (value) => this.later(after, () => resolve(value)),
        (error) => this.later(after, () => reject(error)),
      );
    });
    return promise;
  }

  /** Hands over what `pending` becomes, as an event of its own. */
  hear<T>(pending: Promise<T>, delayMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    pending.then(
      (value) => this.later(delayMs, () => resolve(value)),
      (error) => this.later(delayMs, () => reject(error)),
    );
    return promise;
  }

  /** Calls `onEnd` when the process is gone, at once if it is already. */
  whenEnded(onEnd: () => void): { cancel(): void } {
    if (this.isEnded) onEnd();
    else this.#onEnd.add(onEnd);
    return { cancel: () => void this.#onEnd.delete(onEnd) };
  }

  hold(): void {
    if (this.#state === "running") this.#state = "held";
  }

  /** What waited comes at once, in order, each an event of its own. */
  resume(): void {
    if (this.#state !== "held") return;
    this.#state = "running";
    for (const task of this.#waiting.splice(0)) this.later(0, task);
  }

  end(): void {
    if (this.isEnded) return;
    this.#state = "ended";
    this.#waiting.length = 0;
    for (const onEnd of this.#onEnd) onEnd();
    this.#onEnd.clear();
  }
}
