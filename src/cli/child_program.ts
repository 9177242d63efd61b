import { ProgramEndedError, ProgramMissingError } from "./errors.ts";

export interface ChildCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** How messages call it; `program` when left out. */
  readonly title?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** It gets `env` and nothing of this program's environment. */
  readonly isEnvBare?: boolean;
  /** Ctrl-C at the terminal is not for it. */
  readonly isDetached?: boolean;
}

const COMPLAINT_CHARS_MAX = 4_096;

/** A program that a command started. */
export class ChildProgram {
  readonly #title: string;
  readonly #child: Deno.ChildProcess;
  #complaint = "";
  readonly #complained: Promise<void>;

  private constructor(title: string, child: Deno.ChildProcess) {
    this.#title = title;
    this.#child = child;
    this.#complained = this.#listen();
  }

  /** @throws {ProgramMissingError} */
  static start(command: ChildCommand): ChildProgram {
    const { program, args, env, isEnvBare = false, isDetached = false } =
      command;
    try {
      const child = new Deno.Command(program, {
        args: [...args],
        env: { ...env },
        clearEnv: isEnvBare,
        detached: isDetached,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new ChildProgram(command.title ?? program, child);
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
    throw new ProgramEndedError(this.#title, code, this.#complaint);
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
    this.signal(signal);
    await this.#child.status;
  }

  /** Sends a signal, if it still runs. */
  signal(signal: "SIGTERM" | "SIGKILL"): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // Deno's complaint about a child that has ended.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stderr) {
      const text = this.#complaint + decoder.decode(bytes, { stream: true });
      this.#complaint = text.slice(-COMPLAINT_CHARS_MAX);
    }
  }
}
