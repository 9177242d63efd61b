import { equal, fail, match } from "node:assert/strict";
import { bareEnvironment, sealkvCommand } from "../../e2e/node_process.ts";
import { until } from "../../e2e/until.ts";
import { Tmux } from "./tmux.ts";

const SHOWS_MS_MAX = 60_000;
const END_MS_MAX = 30_000;
const PROMPT = /(?:^|\n)(?:\^C)?\$\n*$/;

export interface TerminalOptions {
  /** 120 and 34 when left out. */
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a screen has to show: some words, or all that a pattern says. */
export type Shown = string | RegExp;

/**
 * Someone at a terminal: types, and waits for what the screen shows. Nothing
 * here sleeps; what does not come in time fails with the screen as it was.
 */
export class Terminal implements AsyncDisposable {
  readonly #tmux: Tmux;
  readonly #home: string;

  private constructor(tmux: Tmux, home: string) {
    this.#tmux = tmux;
    this.#home = home;
  }

  /** A shell that finds `sealkv`, at its first prompt. */
  static async open(options: TerminalOptions = {}): Promise<Terminal> {
    const { columns = 120, rows = 34, env = {} } = options;
    const home = await Deno.makeTempDir({ prefix: "sealkv-terminal-" });
    await Deno.mkdir(`${home}/bin`);
    const words = screenCommand().map((word) => `'${word}'`).join(" ");
    const script = `#!/bin/sh\nexec ${words} "$@"\n`;
    await Deno.writeTextFile(`${home}/bin/sealkv`, script, { mode: 0o755 });
    const { NO_COLOR: _, ...bare } = bareEnvironment(home);
    const path = `${home}/bin:${bare["PATH"]}`;
    const tmux = await Tmux.start({
      columns,
      rows,
      home,
      env: { ...bare, PATH: path, ...env },
    });
    const terminal = new Terminal(tmux, home);
    try {
      await terminal.prompts();
      return terminal;
    } catch (error) {
      await terminal[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A directory of its own, where `~` is. */
  get home(): string {
    return this.#home;
  }

  /** What is seen now, without blanks at ends of lines. */
  async screen(): Promise<string> {
    const text = await this.#tmux.ask("capture-pane", "-p");
    return text.replace(/[ \t]+$/gm, "");
  }

  /** Presses keys as tmux names them, each by itself. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#tmux.ask("send-keys", key);
  }

  /** Types text as it is; all of it may arrive at once. */
  async type(text: string): Promise<void> {
    await this.#tmux.ask("send-keys", "-l", "--", text);
  }

  /** Pastes, as terminals with bracketed paste do, or as those without. */
  async paste(
    text: string,
    { isBracketed }: { readonly isBracketed: boolean },
  ): Promise<void> {
    await this.#tmux.ask("set-buffer", text);
    await this.#tmux.ask("paste-buffer", ...isBracketed ? ["-p"] : [], "-r");
  }

  async resize(columns: number, rows: number): Promise<void> {
    const size = ["-x", String(columns), "-y", String(rows)];
    await this.#tmux.ask("resize-window", ...size);
  }

  /** Waits until the screen shows all of these; the screen. */
  async shows(...wanted: readonly Shown[]): Promise<string> {
    return await this.showsWithin(SHOWS_MS_MAX, ...wanted);
  }

  async showsWithin(
    ms: number,
    ...wanted: readonly Shown[]
  ): Promise<string> {
    return await this.#screenThat(
      `the screen shows ${wanted.map(String).join(", ")}`,
      (screen) => wanted.every((one) => isShown(screen, one)),
      ms,
    );
  }

  /** Waits until the screen shows none of these; the screen. */
  async hides(...unwanted: readonly Shown[]): Promise<string> {
    return await this.#screenThat(
      `the screen hides ${unwanted.map(String).join(", ")}`,
      (screen) => !unwanted.some((one) => isShown(screen, one)),
    );
  }

  /** Waits for a screen of which `isMet`; that screen. */
  async screenThat(
    what: string,
    isMet: (screen: string) => boolean,
  ): Promise<string> {
    return await this.#screenThat(what, isMet);
  }

  async screenThatWithin(
    ms: number,
    what: string,
    isMet: (screen: string) => boolean,
  ): Promise<string> {
    return await this.#screenThat(what, isMet, ms);
  }

  async #screenThat(
    what: string,
    isMet: (screen: string) => boolean,
    ms = SHOWS_MS_MAX,
  ): Promise<string> {
    let screen = "";
    try {
      return await until(what, ms, async () => {
        screen = await this.screen();
        return isMet(screen) ? screen : null;
      });
    } catch (error) {
      throw new Error(`${what}; it was:\n${screen}`, { cause: error });
    }
  }

  /** Waits for the shell to ask for a command. */
  async prompts(): Promise<string> {
    return await this.promptsWithin(SHOWS_MS_MAX);
  }

  async promptsWithin(ms: number): Promise<string> {
    const isMet = (screen: string) => PROMPT.test(screen);
    return await this.#screenThat("the shell prompts", isMet, ms);
  }

  /** Gives the shell a command, on a screen that is clear. */
  async run(command: string): Promise<void> {
    await this.prompts();
    await this.type(`clear; ${command}`);
    await this.press("Enter");
  }

  /** What a command prints that ends; the screen has to hold it. */
  async printed(command: string): Promise<string> {
    // The shell's echo of what is typed has the quotes, the output has not.
    await this.run(`${command}; echo "e""nd"`);
    const screen = await this.shows(/^end\n\$\n*$/m);
    return screen.slice(0, screen.lastIndexOf("end\n"));
  }

  /** Exit code of the last command, once the shell prompts again. */
  async exitCode(): Promise<number> {
    await this.prompts();
    await this.type('echo "rc=""$?"');
    await this.press("Enter");
    const screen = await this.shows(/^rc=\d+$/m);
    return Number(/^rc=(\d+)$/m.exec(screen)![1]);
  }

  /** Asserts that a screen that ended left the terminal as it was. */
  async assertRestored(): Promise<void> {
    await this.prompts();
    equal(await this.#format("#{alternate_on} #{cursor_flag}"), "0 1");
    const modes = await this.printed("stty -a");
    for (const mode of ["icanon", "isig", "echo", "icrnl", "opost"]) {
      match(modes, new RegExp(`(?<!-)\\b${mode}\\b`), `stty: ${mode}`);
    }
  }

  /** Whether a program has taken the whole screen. */
  async isTaken(): Promise<boolean> {
    return await this.#format("#{alternate_on}") === "1";
  }

  async #format(format: string): Promise<string> {
    return (await this.#tmux.ask("display-message", "-p", format)).trim();
  }

  /** Process of the command that runs. */
  async pid(): Promise<number> {
    const shell = await this.#format("#{pane_pid}");
    return await until("a command runs", SHOWS_MS_MAX, async () => {
      const [child] = await childrenOf(shell);
      return child === undefined ? null : Number(child);
    });
  }

  /** Sends the command that runs a signal. */
  async signal(signal: Deno.Signal): Promise<void> {
    Deno.kill(await this.pid(), signal);
  }

  /** Collects all that is written to the terminal from now on. */
  async record(): Promise<Recording> {
    const path = `${this.#home}/written`;
    await Deno.writeTextFile(path, "");
    await this.#tmux.ask("pipe-pane", `cat >'${path}'`);
    return new Recording(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const shell = await this.#format("#{pane_pid}");
    const pids = [shell, ...await childrenOf(shell)];
    await this.#tmux[Symbol.asyncDispose]();
    // What still runs may write into its home.
    await until(`${pids} end`, END_MS_MAX, async () => {
      const alive = await Promise.all(pids.map(isAlive));
      return !alive.includes(true);
    });
    await Deno.remove(this.#home, { recursive: true });
  }
}

/**
 * The command that draws screens: the binary of SEALKV_TUI_BIN, else the one
 * that nodes are.
 */
function screenCommand(): readonly string[] {
  const binary = Deno.env.get("SEALKV_TUI_BIN");
  return binary === undefined ? sealkvCommand() : [binary];
}

/** Bytes that programs wrote to a terminal. */
export class Recording {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async text(): Promise<string> {
    return await Deno.readTextFile(this.#path);
  }

  /** Sequences that set colours and the like. */
  async colors(): Promise<number> {
    const text = await this.text();
    if (text === "") fail("nothing was written");
    // deno-lint-ignore no-control-regex
    return text.match(/\x1b\[[0-9;:]*m/g)?.length ?? 0;
  }
}

async function childrenOf(pid: string): Promise<readonly string[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  return (await Deno.readTextFile(path)).split(" ").slice(0, -1);
}

async function isAlive(pid: string): Promise<boolean> {
  try {
    await Deno.lstat(`/proc/${pid}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isShown(screen: string, wanted: Shown): boolean {
  return typeof wanted === "string"
    ? screen.includes(wanted)
    : wanted.test(screen);
}
