import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { ExecError } from "../../src/io/errors.ts";
import type { ProcessPort, StopSignal } from "../../src/io/process.ts";

export interface ProcessSubject {
  readonly process: ProcessPort;
  setEnv(name: string, value: string): void;
  signal(signal: StopSignal): void;
  /** Passes what time `work` needs; keeps the program running meanwhile. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Commands that do what their names say. */
  readonly commands: {
    /** Prints "out" and "complaint", exits 3. */
    readonly speak: readonly string[];
    readonly hang: readonly string[];
    /** Prints 100,000 bytes. */
    readonly flood: readonly string[];
    readonly missing: readonly string[];
  };
}

const OPTIONS = { timeoutMs: 60_000, stdoutBytesMax: 1_000 };

/** What every `ProcessPort` does. */
export function runProcessContract(
  name: string,
  make: () => ProcessSubject,
): void {
  Deno.test(`${name}: deleteEnv() forgets a variable`, () => {
    const { process, setEnv } = make();
    equal(process.env("SEALKV_TEST_SECRET"), undefined);
    setEnv("SEALKV_TEST_SECRET", "x");
    equal(process.env("SEALKV_TEST_SECRET"), "x");
    process.deleteEnv("SEALKV_TEST_SECRET");
    equal(process.env("SEALKV_TEST_SECRET"), undefined);
  });

  Deno.test(`${name}: exec() returns what a program said`, async () => {
    const { process, until, commands } = make();
    const result = await until(process.exec(commands.speak, OPTIONS));
    equal(result.exitCode, 3);
    equal(new TextDecoder().decode(result.stdout), "out");
    equal(result.stderr, "complaint");
  });

  Deno.test(`${name}: exec() ends a program that hangs`, async () => {
    const { process, until, commands } = make();
    await rejects(
      until(process.exec(commands.hang, { ...OPTIONS, timeoutMs: 50 })),
      (error) =>
        error instanceof ExecError && /longer than 50 ms/.test(error.message),
    );
  });

  Deno.test(`${name}: exec() ends a program that prints too much`, async () => {
    const { process, until, commands } = make();
    const exec = (stdoutBytesMax: number) =>
      until(process.exec(commands.flood, { ...OPTIONS, stdoutBytesMax }));
    equal((await exec(100_000)).stdout.length, 100_000);
    await rejects(exec(99_999), ExecError);
  });

  Deno.test(`${name}: exec() names a program that is not there`, async () => {
    const { process, until, commands } = make();
    await rejects(until(process.exec(commands.missing, OPTIONS)), (error) => {
      ok(error instanceof ExecError);
      match(error.message, /no-such-program/);
      return true;
    });
  });

  Deno.test(`${name}: onStopSignal() hears signals until cancelled`, async () => {
    const { process, signal, until } = make();
    const first: StopSignal[] = [];
    const one = process.onStopSignal((signal) => first.push(signal));
    const heard = new Promise<StopSignal>((resolve) => {
      const other = process.onStopSignal((signal) => {
        other.cancel();
        resolve(signal);
      });
    });
    signal("SIGTERM");
    equal(await until(heard), "SIGTERM");
    one.cancel();
    deepEqual(first, ["SIGTERM"]);
  });

  Deno.test(`${name}: residentBytes() is a size`, () => {
    ok(make().process.residentBytes() > 2 ** 20);
  });
}
