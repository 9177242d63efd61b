import { equal, ok } from "node:assert/strict";
import type { ClusterTask } from "../../../src/admin/client.ts";
import { RateMeter } from "../../../src/rollout/rate_meter.ts";
import { taskOf } from "./snapshots.ts";

function at(done: number, given: Partial<ClusterTask> = {}): ClusterTask {
  const counts = { done: BigInt(done), bytes: BigInt(done * 100) };
  return taskOf("n1", { state: "running", total: 1_000n, ...counts, ...given });
}

/** Looks a second apart, `done` of each told by its second. */
function metered(seconds: number, doneAt: (second: number) => number) {
  const meter = new RateMeter();
  for (let second = 0; second <= seconds; second += 1) {
    meter.add(second * 1_000, [at(doneAt(second))]);
  }
  return meter;
}

Deno.test("RateMeter tells nothing before 30 s", () => {
  equal(metered(29, (second) => second * 10).estimate(), null);
  ok(metered(30, (second) => second * 10).estimate() !== null);
});

Deno.test("RateMeter tells nothing before 2 %", () => {
  equal(metered(60, (second) => Math.floor(second / 4)).estimate(), null);
});

Deno.test("RateMeter tells a steady rate and one end", () => {
  const estimate = metered(50, (second) => second * 10).estimate()!;
  equal(estimate.bytesPerSecond, 1_000);
  equal(estimate.remainingMs.least, 50_000);
  equal(estimate.remainingMs.most, 50_000);
});

Deno.test("RateMeter tells a range when the rate changes", () => {
  const estimate = metered(
    60,
    (second) => second <= 30 ? second * 20 : 600 + (second - 30) * 5,
  ).estimate()!;
  ok(estimate.remainingMs.least < estimate.remainingMs.most);
  ok(estimate.bytesPerSecond < 600);
});

Deno.test("RateMeter says that a member stands still", () => {
  const estimate = metered(70, (second) => Math.min(second, 30) * 10)
    .estimate()!;
  equal(estimate.remainingMs.most, Infinity);
  ok(estimate.remainingMs.least < Infinity);
});

Deno.test("RateMeter begins anew after a rest and after a new beginning", () => {
  const meter = metered(40, (second) => second * 10);
  meter.add(41_000, [at(400, { state: "paused" })]);
  equal(meter.estimate(), null);
  const anew = metered(40, (second) => second * 10);
  anew.add(41_000, [at(0)]);
  equal(anew.estimate(), null);
});

Deno.test("RateMeter tells by the slowest member", () => {
  const meter = new RateMeter();
  for (let second = 0; second <= 50; second += 1) {
    meter.add(second * 1_000, [
      at(second * 10),
      at(second * 5, { member: "n2" }),
      taskOf("n3"),
    ]);
  }
  equal(meter.estimate()!.remainingMs.most, 150_000);
});

Deno.test("RateMeter does with looks that are far apart", () => {
  const meter = new RateMeter();
  meter.add(0, [at(0)]);
  meter.add(40_000, [at(400)]);
  equal(meter.estimate()!.remainingMs.most, 60_000);
});
