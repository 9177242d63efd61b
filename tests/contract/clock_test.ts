import { deepEqual } from "node:assert/strict";
import { denoClock } from "../../src/io/deno/clock.ts";
import { SimClock } from "../sim/io/clock.ts";
import { runClockContract } from "./clock_contract.ts";

runClockContract("denoClock", () => ({
  clock: denoClock(),
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  until: (work) => work,
}));

runClockContract("SimClock", () => {
  const clock = new SimClock();
  return {
    clock,
    pass: (ms) => clock.run(ms),
    until: (work) => clock.until(work),
  };
});

Deno.test("SimClock: after() goes by when tasks are due, not by when they were asked for", async () => {
  const clock = new SimClock();
  const ran: string[] = [];
  clock.after(30, () => ran.push("late"));
  clock.after(5, () => ran.push("early"));
  clock.after(0, () => ran.push("at once"));
  await clock.run(60);
  deepEqual(ran, ["at once", "early", "late"]);
});
