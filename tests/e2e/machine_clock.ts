/*
 * One clock for all processes of this machine, so that what several of them
 * noted can be put in order: CLOCK_MONOTONIC, which nobody sets. Runs on Deno
 * and on Node.
 */
import process from "node:process";

const CLOCK_MONOTONIC = 1;

/** Milliseconds, with fractions, since a moment that is the same for all. */
export const machineMs: () => number = clock();

function clock(): () => number {
  // Node's own; Deno's counts from the start of its process.
  if (!("Deno" in globalThis)) {
    return () => Number(process.hrtime.bigint()) / 1e6;
  }
  // Elsewhere the wall clock has to do: it must not be set meanwhile.
  if (Deno.build.os !== "linux") {
    return () => performance.timeOrigin + performance.now();
  }
  const { symbols } = Deno.dlopen("libc.so.6", {
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  });
  const time = new BigInt64Array(2);
  return () => {
    symbols.clock_gettime(CLOCK_MONOTONIC, time);
    return Number(time[0]) * 1e3 + Number(time[1]) / 1e6;
  };
}
