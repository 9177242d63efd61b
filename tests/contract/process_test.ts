import { ok, rejects } from "node:assert/strict";
import { denoProcess } from "../../src/io/deno/process.ts";
import { ExecError } from "../../src/io/errors.ts";
import { SimClock } from "../sim/io/clock.ts";
import { SimProcess } from "../sim/io/process.ts";
import { runProcessContract } from "./process_contract.ts";

const script = (code: string) => [Deno.execPath(), "eval", "--quiet", code];

runProcessContract("denoProcess", () => ({
  process: denoProcess(),
  setEnv: (name, value) => Deno.env.set(name, value),
  signal: (signal) => Deno.kill(Deno.pid, signal),
  until: async (work) => {
    // A signal listener alone does not keep the event loop turning.
    const id = setInterval(() => {}, 1_000);
    return await work.finally(() => clearInterval(id));
  },
  commands: {
    speak: script(`
      Deno.stdout.writeSync(new TextEncoder().encode("out"));
      Deno.stderr.writeSync(new TextEncoder().encode("complaint"));
      Deno.exit(3);`),
    hang: script(`setInterval(() => {}, 1_000_000)`),
    flood: script(`
      const bytes = new Uint8Array(100_000);
      for (let at = 0; at < bytes.length;) {
        at += Deno.stdout.writeSync(bytes.subarray(at));
      }`),
    missing: ["/no-such-program"],
  },
}));

Deno.test({
  name: "denoProcess: exec() does not wait for what a program left behind",
  ignore: Deno.build.os === "windows",
  async fn() {
    const started = performance.now();
    // The one in the background holds the pipes for as long as it lives.
    const command = ["/bin/sh", "-c", "sleep 8 & sleep 8"];
    await rejects(
      denoProcess().exec(command, { timeoutMs: 50, stdoutBytesMax: 10 }),
      ExecError,
    );
    ok(performance.now() - started < 6_000);
  },
});

runProcessContract("SimProcess", () => {
  const clock = new SimClock();
  const process = new SimProcess(clock);
  process.programs.set(
    "speak",
    () => ({ stdout: "out", stderr: "complaint", exitCode: 3 }),
  );
  process.programs.set("hang", () => ({ tookMs: Infinity }));
  process.programs.set("flood", () => ({ stdout: "x".repeat(100_000) }));
  return {
    process,
    setEnv: (name, value) => void process.environment.set(name, value),
    signal: (signal) => process.signal(signal),
    until: (work) => clock.until(work),
    commands: {
      speak: ["speak"],
      hang: ["hang"],
      flood: ["flood"],
      missing: ["no-such-program"],
    },
  };
});
