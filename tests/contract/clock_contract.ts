import { deepEqual, equal, ok } from "node:assert/strict";
import type { Clock } from "../../src/io/clock.ts";

export interface ClockSubject {
  readonly clock: Clock;
  /** Resolves when at least `ms` of the clock's time went by. */
  pass(ms: number): Promise<void>;
  /** Passes what time `work` needs. */
  until<T>(work: Promise<T>): Promise<T>;
}

/** What every `Clock` does. */
export function runClockContract(
  name: string,
  make: () => ClockSubject,
): void {
  Deno.test(`${name}: wallMs() is Unix time in whole ms`, () => {
    const wallMs = make().clock.wallMs();
    ok(Number.isInteger(wallMs));
    ok(wallMs > Date.UTC(2020));
    ok(wallMs < Date.UTC(2120));
  });

  Deno.test(`${name}: monotonicMs() grows with time`, async () => {
    const { clock, pass } = make();
    const from = clock.monotonicMs();
    await pass(20);
    ok(clock.monotonicMs() - from >= 19);
  });

  Deno.test(`${name}: after() runs tasks once and in order of time`, async () => {
    const { clock, pass } = make();
    const ran: string[] = [];
    // Far off: the machine may stand still before the next call.
    const late = clock.after(60_000, () => ran.push("late"));
    clock.after(0, () => ran.push("at once"));
    clock.after(5, () => ran.push("early"));
    equal(ran.length, 0);
    await pass(60);
    deepEqual(ran, ["at once", "early"]);
    late.cancel();
  });

  Deno.test(`${name}: after() keeps the order of one instant`, async () => {
    const { clock, pass } = make();
    const ran: number[] = [];
    for (let i = 0; i < 20; i += 1) clock.after(5, () => ran.push(i));
    await pass(40);
    deepEqual(ran, Array.from({ length: 20 }, (_, i) => i));
  });

  Deno.test(`${name}: cancel() keeps the task from running`, async () => {
    const { clock, pass } = make();
    const ran: string[] = [];
    const timer = clock.after(5, () => ran.push("cancelled"));
    clock.after(10, () => ran.push("kept"));
    timer.cancel();
    timer.cancel();
    await pass(40);
    deepEqual(ran, ["kept"]);
  });

  Deno.test(`${name}: after() waits as long as asked, 30 days too`, async () => {
    const { clock, pass } = make();
    let hasRun = false;
    const timer = clock.after(30 * 24 * 3_600_000, () => hasRun = true);
    await pass(20);
    equal(hasRun, false);
    timer.cancel();
  });

  Deno.test(`${name}: soon() runs tasks in order, after the caller`, async () => {
    const { clock, until } = make();
    const ran: string[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const run = (name: string) => {
      if (ran.push(name) === 3) resolve();
    };
    clock.after(5, () => run("later"));
    clock.soon(() => run("first"));
    clock.soon(() => run("second"));
    deepEqual(ran, []);
    await until(done);
    // After a standstill what is due may come before what is soon.
    deepEqual(ran.filter((name) => name !== "later"), ["first", "second"]);
  });

  Deno.test(`${name}: after() may be asked again by a task`, async () => {
    const { clock, until } = make();
    const ran: number[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const again = (count: number) => {
      ran.push(count);
      if (count < 3) clock.after(2, () => again(count + 1));
      else resolve();
    };
    clock.after(2, () => again(1));
    await until(done);
    deepEqual(ran, [1, 2, 3]);
  });
}
