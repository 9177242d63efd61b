import assert from "node:assert/strict";
import { StatusWatchers } from "../../../src/node/status_watchers.ts";
import { SimClock } from "../../sim/io/clock.ts";

function bench() {
  const clock = new SimClock();
  const watchers = new StatusWatchers(clock);
  const calls: string[] = [];
  const add = (name: string) => watchers.add(() => calls.push(name));
  return { clock, watchers, calls, add };
}

Deno.test("StatusWatchers.notify() tells all, a moment later and once", () => {
  const { clock, watchers, calls, add } = bench();
  add("a");
  add("b");
  for (let i = 0; i < 10; i += 1) watchers.notify();
  clock.advance(49);
  assert.deepEqual(calls, []);
  clock.advance(1);
  assert.deepEqual(calls, ["a", "b"]);
  clock.advance(1_000);
  assert.deepEqual(calls, ["a", "b"]);
});

Deno.test("StatusWatchers calls at most 20 times a second, and misses nothing", () => {
  const { clock, watchers, calls, add } = bench();
  add("a");
  for (let ms = 0; ms < 1_000; ms += 1) {
    watchers.notify();
    clock.advance(1);
  }
  assert.ok(calls.length >= 19 && calls.length <= 20, `${calls.length} calls`);
  watchers.notify();
  const before = calls.length;
  clock.advance(50);
  assert.equal(calls.length, before + 1, "the last change is told too");
});

Deno.test("StatusWatchers sets no timer while nobody watches", () => {
  const { clock, watchers, add } = bench();
  watchers.notify();
  assert.equal(clock.nextAtMs(), null);
  add("a").cancel();
  watchers.notify();
  assert.equal(clock.nextAtMs(), null);
});

Deno.test("StatusWatchers forgets who cancelled, also while it waits", () => {
  const { clock, watchers, calls, add } = bench();
  const watch = add("a");
  add("b");
  watchers.notify();
  watch.cancel();
  clock.advance(50);
  assert.deepEqual(calls, ["b"]);
});

Deno.test("StatusWatchers.stop() tells nobody any more", () => {
  const { clock, watchers, calls, add } = bench();
  add("a");
  watchers.notify();
  watchers.stop();
  watchers.notify();
  clock.advance(1_000);
  assert.deepEqual(calls, []);
  assert.equal(clock.nextAtMs(), null);
});
