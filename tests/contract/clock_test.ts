import { denoClock } from "../../src/io/deno/clock.ts";
import { SimClock } from "../sim/io/clock.ts";
import { runClockContract } from "./clock_contract.ts";

runClockContract("denoClock", () => ({
  clock: denoClock(),
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

runClockContract("SimClock", () => {
  const clock = new SimClock();
  return { clock, pass: (ms) => clock.run(ms) };
});
