import { utf8 } from "../../../src/base/bytes.ts";
import type { Clock } from "../../../src/io/clock.ts";
import { ExecError } from "../../../src/io/errors.ts";
import type {
  ExecOptions,
  ExecResult,
  ProcessPort,
  StopSignal,
} from "../../../src/io/process.ts";

/** What a simulated program does with its arguments. */
export interface SimProgram {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Virtual time it takes; Infinity hangs. */
  readonly tookMs?: number;
}

/** A process whose environment, signals and programs the test decides. */
export class SimProcess implements ProcessPort {
  readonly programs = new Map<
    string,
    (args: readonly string[]) => SimProgram
  >();
  readonly environment = new Map<string, string>();
  resident = 64 * 2 ** 20;
  readonly #clock: Clock;
  readonly #handlers = new Set<(signal: StopSignal) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  env(name: string): string | undefined {
    return this.environment.get(name);
  }

  deleteEnv(name: string): void {
    this.environment.delete(name);
  }

  onStopSignal(handler: (signal: StopSignal) => void): { cancel(): void } {
    const own = (signal: StopSignal) => handler(signal);
    this.#handlers.add(own);
    return { cancel: () => void this.#handlers.delete(own) };
  }

  /** Sends `signal` to this process. */
  signal(signal: StopSignal): void {
    for (const handler of [...this.#handlers]) handler(signal);
  }

  async exec(
    command: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult> {
    const [name = "", ...args] = command;
    const program = this.programs.get(name);
    if (program === undefined) {
      throw new ExecError(name, "it cannot be started");
    }
    const { stdout = "", stderr = "", exitCode = 0, tookMs = 0 } = program(
      args,
    );
    if (tookMs > 0) await this.#pass(Math.min(tookMs, options.timeoutMs));
    if (tookMs > options.timeoutMs) {
      const rule = `it took longer than ${options.timeoutMs} ms`;
      throw new ExecError(name, rule);
    }
    const out = utf8(stdout);
    if (out.length > options.stdoutBytesMax) {
      const rule = `it printed more than ${options.stdoutBytesMax} bytes`;
      throw new ExecError(name, rule);
    }
    return { exitCode, stdout: out, stderr };
  }

  residentBytes(): number {
    return this.resident;
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }
}
