import { leash } from "../../../tools/leash.ts";
import { print } from "../../../tools/print.ts";
import { until } from "../../e2e/until.ts";

const START_MS_MAX = 30_000;

/** Tests of terminals are ignored where there is none to be had. */
export const HAS_TMUX = hasTmux();

export interface TmuxOptions {
  readonly columns: number;
  readonly rows: number;
  /** Where the shell starts. */
  readonly home: string;
  /** All that what runs in it sees of an environment, besides TERM. */
  readonly env: Readonly<Record<string, string>>;
}

/** A private tmux server with one window, a shell in it. */
export class Tmux implements AsyncDisposable {
  readonly #dir: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #server: Deno.ChildProcess;

  private constructor(
    dir: string,
    env: Readonly<Record<string, string>>,
    server: Deno.ChildProcess,
  ) {
    this.#dir = dir;
    this.#env = env;
    this.#server = server;
  }

  static async start(options: TmuxOptions): Promise<Tmux> {
    const { columns, rows, home } = options;
    const env = { LC_ALL: "C.UTF-8", ...options.env };
    const dir = await Deno.makeTempDir({ prefix: "sealkv-tmux-" });
    await Deno.writeTextFile(`${dir}/conf`, CONFIGURATION);
    await Deno.writeTextFile(`${dir}/shell`, "PS1='$ '; unset HISTFILE\n");
    // In the foreground: it ends with the tests, however they end.
    const [program, ...words] = [...leash("KILL"), "tmux", "-D"];
    const server = new Deno.Command(program!, {
      args: [...words, "-u", "-f", `${dir}/conf`, "-S", `${dir}/socket`],
      clearEnv: true,
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const tmux = new Tmux(dir, env, server);
    const size = ["-x", String(columns), "-y", String(rows)];
    const shell = ["bash", "--noprofile", "--rcfile", `${dir}/shell`];
    try {
      await until("tmux opens a window", START_MS_MAX, async () => {
        const words = ["new-session", "-d", "-c", home, ...size, ...shell];
        return (await tmux.#run(words)).success;
      });
      return tmux;
    } catch (error) {
      await tmux[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a command of tmux; what it prints. @throws When it fails. */
  async ask(...words: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await this.#run(words);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (success) return text(stdout);
    throw new Error(`tmux ${words.join(" ")}: ${text(stderr)}`);
  }

  async #run(words: readonly string[]): Promise<Deno.CommandOutput> {
    return await new Deno.Command("tmux", {
      args: ["-u", "-N", "-S", `${this.#dir}/socket`, ...words],
      // A shell's PATH is that of who opens its window.
      clearEnv: true,
      env: this.#env,
      stdin: "null",
    }).output();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Those in the window are told by their terminal that it is gone.
    await this.#run(["kill-server"]);
    await this.#server.status;
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** No line of its own, no wait after Escape. */
const CONFIGURATION = `set -g status off
set -s escape-time 0
set -g default-terminal tmux-256color
`;

function hasTmux(): boolean {
  try {
    new Deno.Command("tmux", { args: ["-V"] }).outputSync();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    print("no tmux here: tests of the terminal are ignored");
    return false;
  }
}
