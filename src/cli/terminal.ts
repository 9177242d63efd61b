import { OutputFailedError } from "./errors.ts";

/** One of the process's output streams. */
export interface Output {
  readonly isTerminal: boolean;
  write(text: string | Uint8Array): void;
}

/** What a command sees of the terminal. */
export interface Terminal {
  /** Data, for people and pipes. */
  readonly out: Output;
  /** Talk: errors, progress, events. */
  readonly err: Output;
  input(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Someone can be asked: standard input and error are a terminal. */
  readonly isInteractive: boolean;
  env(name: string): string | undefined;
}

/** Thrown by a write when the reader of standard output is gone. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

/** The terminal of this process. */
export function denoTerminal(): Terminal {
  return {
    out: outputOf(Deno.stdout),
    err: outputOf(Deno.stderr),
    input: () => Deno.stdin.readable,
    isInteractive: Deno.stdin.isTerminal() && Deno.stderr.isTerminal(),
    env: (name) => Deno.env.get(name),
  };
}

/** Tells whether `output` wants colour. Source: no-color.org. */
export function wantsColor(
  output: Output,
  env: (name: string) => string | undefined,
): boolean {
  return output.isTerminal && (env("NO_COLOR") ?? "") === "" &&
    env("TERM") !== "dumb";
}

function outputOf(stream: typeof Deno.stdout): Output {
  const encoder = new TextEncoder();
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      const bytes = typeof text === "string" ? encoder.encode(text) : text;
      try {
        let written = 0;
        while (written < bytes.length) {
          written += stream.writeSync(bytes.subarray(written));
        }
      } catch (cause) {
        if (cause instanceof Deno.errors.BrokenPipe) {
          throw new OutputClosedError("Output closed", { cause });
        }
        throw new OutputFailedError({ cause });
      }
    },
  };
}
