import { assert } from "../../base/assert.ts";
import { concatBytes } from "../../base/bytes.ts";
import { ExecError } from "../errors.ts";
import {
  type ExecOptions,
  type ExecResult,
  type ProcessPort,
  STOP_SIGNALS,
  type StopSignal,
} from "../process.ts";

/** What is kept of a program's complaints. */
const STDERR_BYTES_MAX = 16_384;

/** This process and the programs of this machine. */
export function denoProcess(): ProcessPort {
  return {
    env: (name) => Deno.env.get(name),
    deleteEnv: (name) => Deno.env.delete(name),
    onStopSignal,
    exec,
    residentBytes: () => Deno.memoryUsage().rss,
  };
}

function onStopSignal(handler: (signal: StopSignal) => void) {
  const listeners = STOP_SIGNALS
    // Windows knows no SIGTERM.
    .filter((signal) => Deno.build.os !== "windows" || signal === "SIGINT")
    .map((signal) => ({ signal, listener: () => handler(signal) }));
  for (const { signal, listener } of listeners) {
    Deno.addSignalListener(signal, listener);
  }
  return {
    cancel(): void {
      for (const { signal, listener } of listeners) {
        Deno.removeSignalListener(signal, listener);
      }
    },
  };
}

async function exec(
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const [program, ...args] = command;
  assert(program !== undefined, "a command names a program");
  const child = start(program, args);
  const stdout = child.stdout.getReader();
  const stderr = child.stderr.getReader();
  let broken: string | null = null;
  // Ends the reads too: a grandchild may hold the pipes open for ever.
  const stop = (rule: string) => {
    broken ??= rule;
    kill(child);
    void stdout.cancel();
    void stderr.cancel();
  };
  const timer = setTimeout(
    () => stop(`it took longer than ${options.timeoutMs} ms`),
    options.timeoutMs,
  );
  try {
    const [out, complaints, status] = await Promise.all([
      readUpTo(
        stdout,
        options.stdoutBytesMax,
        () => stop(`it printed more than ${options.stdoutBytesMax} bytes`),
      ),
      readUpTo(stderr, STDERR_BYTES_MAX),
      child.status,
    ]);
    if (broken !== null) throw new ExecError(program, broken);
    return {
      exitCode: status.code,
      stdout: out,
      stderr: new TextDecoder().decode(complaints),
    };
  } finally {
    clearTimeout(timer);
  }
}

function start(program: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw new ExecError(program, "it cannot be started", { cause });
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Reads to the end and keeps `bytesMax`; `onMore` hears of the first beyond. */
async function readUpTo(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  bytesMax: number,
  onMore: () => void = () => {},
) {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatBytes(...parts);
    if (length + value.length > bytesMax) onMore();
    parts.push(value.subarray(0, bytesMax - length));
    length = Math.min(bytesMax, length + value.length);
  }
}
