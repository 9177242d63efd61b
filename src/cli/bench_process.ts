import type { ServerProcesses } from "../bench/servers.ts";
import { ProgramEndedError, ProgramMissingError } from "./errors.ts";

export interface BenchCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const COMPLAINT_CHARS_MAX = 4_096;
/** Of /proc: the same on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** A program that a bench started. */
export class BenchProcess {
  readonly #program: string;
  readonly #child: Deno.ChildProcess;
  #complaint = "";
  readonly #complained: Promise<void>;

  private constructor(program: string, child: Deno.ChildProcess) {
    this.#program = program;
    this.#child = child;
    this.#complained = this.#listen();
  }

  /** @throws {ProgramMissingError} */
  static start({ program, args, env }: BenchCommand): BenchProcess {
    try {
      const child = new Deno.Command(program, {
        args: [...args],
        env: { ...env },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new BenchProcess(program, child);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      throw new ProgramMissingError(program, { cause });
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The end of what it wrote to stderr so far. */
  get complaint(): string {
    return this.#complaint;
  }

  /** Rejects, with its last words, when the program ends. */
  async untilEnd(): Promise<never> {
    const { code } = await this.#child.status;
    await this.#complained;
    throw new ProgramEndedError(this.#program, code, this.#complaint);
  }

  /** The first match in what it prints. @throws {ProgramEndedError} When it ends without. */
  async output(pattern: RegExp): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    // A reader that leaves must not close the pipe under the program.
    for await (
      const bytes of this.#child.stdout.values({ preventCancel: true })
    ) {
      text += decoder.decode(bytes, { stream: true });
      const match = pattern.exec(text);
      if (match !== null) return match[1] ?? match[0];
    }
    return await this.untilEnd();
  }

  /** Ends it, by `signal`, and waits until it has ended. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // Deno's complaint about a child that has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stderr) {
      const text = this.#complaint + decoder.decode(bytes, { stream: true });
      this.#complaint = text.slice(-COMPLAINT_CHARS_MAX);
    }
  }
}

/** The processor time of all together. */
export function processesOf(
  members: readonly { readonly pid: number }[],
): ServerProcesses {
  return {
    cpuMs: async () => {
      const each = await Promise.all(members.map(({ pid }) => cpuMs(pid)));
      return each.reduce(
        (sum, ms) => sum === null || ms === null ? null : sum + ms,
        0,
      );
    },
  };
}

/** Processor time of a process so far; `null` where the system does not tell. */
export async function cpuMs(pid: number | "self"): Promise<number | null> {
  const text = await readProc(`${pid}/stat`);
  // The name, in parentheses, may hold spaces.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return null;
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * 1000 / TICKS_PER_SECOND;
}

/** Resident set in MiB; `null` where the system does not tell. */
export async function residentMib(pid: number): Promise<number | null> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readProc(`${pid}/status`) ?? "")
    ?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

/** A file of /proc; `null` on other systems and in builds that may not. */
export async function readProc(path: string): Promise<string | null> {
  if (Deno.build.os !== "linux") return null;
  try {
    return await Deno.readTextFile(`/proc/${path}`);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable
    ) return null;
    throw error;
  }
}
