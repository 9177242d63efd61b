import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { RecordKey } from "../../../src/fsm/types.ts";
import { Expiry } from "../../../src/node/expiry.ts";

/** A clock that moves only by hand. */
class HandClock {
  now = 1_000;
  #timers: { at: number; task: () => void }[] = [];

  wallMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  after(delayMs: number, task: () => void): { cancel(): void } {
    const timer = { at: this.now + delayMs, task };
    this.#timers.push(timer);
    return {
      cancel: () => this.#timers = this.#timers.filter((t) => t !== timer),
    };
  }

  soon(task: () => void): void {
    queueMicrotask(task);
  }

  advance(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.now);
    this.#timers = this.#timers.filter((timer) => timer.at > this.now);
    for (const timer of due) timer.task();
  }
}

function harness(dues: number[]) {
  const clock = new HandClock();
  const store = {
    state: { fsm: { clockMs: 0 } },
    nextExpiryMs: () => dues[0] ?? null,
    sweep: async (clockMs: number): Promise<readonly RecordKey[]> => {
      const gone = dues.filter((due) => due <= clockMs);
      dues.splice(0, gone.length);
      return gone.map(() => ({ database: 1, key: utf8("k") }));
    },
  };
  const proposed: number[] = [];
  const { promise: swept, resolve } = Promise.withResolvers<number>();
  const expiry = new Expiry(clock, store, {
    proposeClock: (wallMs) => proposed.push(wallMs),
    expired: (keys) => resolve(keys.length),
    halted: assert.fail,
  });
  return { clock, store, proposed, swept, expiry };
}

Deno.test("Expiry proposes the clock when a record is due, not before", async () => {
  const { clock, proposed, expiry } = harness([1_500]);
  expiry.wake();
  clock.advance(499);
  assert.deepEqual(proposed, []);
  clock.advance(1);
  assert.deepEqual(proposed, [1_500]);
  await expiry.stop();
});

Deno.test("Expiry proposes again while the clock entry is not applied", async () => {
  const { clock, proposed, expiry } = harness([1_500]);
  expiry.wake();
  clock.advance(500);
  clock.advance(1_000);
  assert.equal(proposed.length, 2);
  await expiry.stop();
});

Deno.test("Expiry removes only what the applied clock has passed", async () => {
  const { store, swept, expiry } = harness([1_500, 1_600, 9_000]);
  store.state.fsm.clockMs = 1_600;
  expiry.wake();
  assert.equal(await swept, 2);
  await expiry.stop();
});

Deno.test("Expiry.stop() leaves no timer behind", async () => {
  const { clock, proposed, expiry } = harness([1_500]);
  expiry.wake();
  await expiry.stop();
  clock.advance(10_000);
  assert.deepEqual(proposed, []);
});
