import { setImmediate } from "node:timers";
import { assert } from "../../../src/base/assert.ts";
import type { Clock, Timer } from "../../../src/io/clock.ts";

interface Item {
  readonly atMs: number;
  /** Order among tasks of one instant: first asked, first run. */
  readonly sequence: number;
  task: (() => void) | null;
}

/** Unix ms at which simulations start unless told. */
const START_WALL_MS = 1_750_000_000_000;

/**
 * Virtual time: stands still until advanced, then runs what is due in order.
 *
 * The wall clock may jump; the monotonic one never does.
 */
export class SimClock implements Clock {
  readonly #queue = new TaskQueue();
  #nowMs = 0;
  #wallOffsetMs: number;
  #sequence = 0;

  constructor(wallMs = START_WALL_MS) {
    this.#wallOffsetMs = wallMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** No time passes; nothing that is due runs before it. */
  soon(task: () => void): void {
    queueMicrotask(task);
  }

  after(delayMs: number, task: () => void): Timer {
    assert(delayMs >= 0, "a delay is not negative");
    this.#sequence += 1;
    const item: Item = {
      atMs: this.#nowMs + delayMs,
      sequence: this.#sequence,
      task,
    };
    this.#queue.push(item);
    return { cancel: () => void (item.task = null) };
  }

  /** Moves the wall clock alone, back as well. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Time of the next task; `null` when nothing waits. */
  nextAtMs(): number | null {
    return this.#queue.peek()?.atMs ?? null;
  }

  /** Runs the next task, if it is due by `untilMs`; tells whether it did. */
  step(untilMs = Infinity): boolean {
    const item = this.#queue.peek();
    if (item === null || item.atMs > untilMs) return false;
    this.#queue.pop();
    this.#nowMs = item.atMs;
    const { task } = item;
    item.task = null;
    task?.();
    return true;
  }

  /** Passes `ms`, running what is due, without waiting for promises. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.step(untilMs));
    this.#nowMs = untilMs;
  }

  /** Passes `ms`; between tasks every promise settles that can. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settleBetween(() => this.step(untilMs));
    this.#nowMs = untilMs;
  }

  /** Passes time until `done` settles. @throws When nothing waits any more. */
  async until<T>(done: Promise<T>): Promise<T> {
    let isSettled = false;
    const mark = () => void (isSettled = true);
    done.then(mark, mark);
    await settleBetween(() => {
      if (isSettled) return false;
      assert(this.step(), "something that waits for time can end the wait");
      return true;
    });
    return await done;
  }
}

/**
 * One turn of the real event loop: all promise chains run to their ends, for
 * the loop takes its next task only when no microtask is left. Some 2 µs; a
 * timer of 0 ms, and this before Deno 2.9, a thousand times as long.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Deno's own, to end all promise chains in the middle of a task of the loop. */
const runMicrotasks = internalFunction("runMicrotasks");

/**
 * Calls `next` until it is false; before each call every promise settles that
 * can. As `settle` before each call, and ten times as fast where Deno lets us.
 */
export async function settleBetween(next: () => boolean): Promise<void> {
  if (runMicrotasks === null) {
    do await settle(); while (next());
    return;
  }
  // Microtasks run inside of none: the loop's own task is their outside.
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  setImmediate(() => {
    try {
      while (next()) runMicrotasks();
      resolve();
    } catch (error) {
      reject(error);
    }
  });
  await promise;
}

function internalFunction(name: string): (() => void) | null {
  const { internal }: { internal?: unknown } = Deno as object;
  if (typeof internal !== "symbol") return null;
  const core: unknown = Reflect.get(Reflect.get(Deno, internal), "core");
  const found: unknown = Reflect.get(core as object, name);
  return typeof found === "function" ? found as () => void : null;
}

/** Binary heap by time, then sequence. */
class TaskQueue {
  readonly #items: Item[] = [];

  /** The first item that is not cancelled. */
  peek(): Item | null {
    for (;;) {
      const first = this.#items[0];
      if (first === undefined) return null;
      if (first.task !== null) return first;
      this.pop();
    }
  }

  push(item: Item): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(items[parent]!, item)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      const right = items[child + 1];
      if (right !== undefined && isBefore(right, items[child]!)) child += 1;
      if (isBefore(last, items[child]!)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.atMs < b.atMs || a.atMs === b.atMs && a.sequence < b.sequence;
}
