import { fail } from "node:assert/strict";
import { loopbackAddress } from "../loopback.ts";
import { leash } from "../../tools/leash.ts";
import { Output } from "./output.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const READY_MS_MAX = 60_000;
const EXIT_MS_MAX = 30_000;
const READY = /^ready (\{.*\})$/m;

/** A token for tests; real ones are drawn. */
export const ACCESS_TOKEN = "access-token-of-the-tests";
export const ADMIN_TOKEN = "admin-token-of-the-tests";

export interface NodeProcessOptions {
  /** Kept by the caller; a temporary one, removed at the end, when left out. */
  readonly dataDir?: string;
  /** Own loopback address; default ports are used on it. */
  readonly hostname?: string;
  /** Further flags of `serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the command: another network, other limits. */
  readonly wrap?: readonly string[];
}

/** What the node said it bound, each `host:port`. */
export interface Bound {
  readonly listen: string;
  readonly peer: string;
  readonly admin: string;
}

/**
 * The command that is `sealkv`: the binary of SEALKV_BIN, or this source under
 * the Deno of SEALKV_DENO or of the tests. Never `deno task`, whose end would
 * leave the node running.
 */
export function sealkvCommand(): readonly [string, ...string[]] {
  const binary = Deno.env.get("SEALKV_BIN");
  if (binary !== undefined) return [binary];
  const deno = Deno.env.get("SEALKV_DENO") ?? Deno.execPath();
  return [deno, "run", "-A", "--quiet", `${ROOT}main.ts`];
}

/** Environment of a user who has nothing, with the caches of this one. */
export function bareEnvironment(home: string): Record<string, string> {
  const env: Record<string, string> = { HOME: home, NO_COLOR: "1" };
  const kept = ["PATH", "TMPDIR", "DENO_TLS_CA_STORE", "SSL_CERT_FILE"];
  for (const name of kept) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  env["DENO_DIR"] = Deno.env.get("DENO_DIR") ?? defaultDenoDir();
  return env;
}

function defaultDenoDir(): string {
  const home = Deno.env.get("HOME") ?? "";
  if (Deno.build.os === "darwin") return `${home}/Library/Caches/deno`;
  return `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}/deno`;
}

/** A real node in a process of its own. */
export class NodeProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: Output;
  readonly #complaints: Output;
  readonly #home: string;
  readonly #status: Promise<Deno.CommandStatus>;
  readonly dataDir: string;
  #bound: Bound | null = null;

  private constructor(child: Deno.ChildProcess, home: string, dataDir: string) {
    this.#child = child;
    this.#home = home;
    this.dataDir = dataDir;
    this.#output = new Output(child.stdout);
    this.#complaints = new Output(child.stderr);
    this.#status = child.status;
  }

  /** Starts `serve` and waits until it is ready. @throws With its output. */
  static async start(options: NodeProcessOptions = {}): Promise<NodeProcess> {
    const node = await NodeProcess.launch(options);
    try {
      await node.ready();
      return node;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts `serve` without waiting: for nodes that are to refuse. */
  static async launch(options: NodeProcessOptions = {}): Promise<NodeProcess> {
    const home = await Deno.makeTempDir({ prefix: "sealkv-home-" });
    const dataDir = options.dataDir ?? `${home}/data`;
    const [program, ...args] = [
      ...options.wrap ?? [],
      ...leash("KILL"),
      ...sealkvCommand(),
    ];
    const isOwnAddress = Deno.build.os === "linux" ||
      options.hostname !== undefined;
    const hostname = options.hostname ?? loopbackAddress();
    const address = (port: number) => `${hostname}:${isOwnAddress ? port : 0}`;
    const child = new Deno.Command(program!, {
      args: [
        ...args,
        "serve",
        ...["--data-dir", dataDir],
        ...["--listen", address(4512)],
        ...["--peer-listen", address(4513)],
        ...["--admin-listen", address(4514)],
        ...options.args ?? [],
      ],
      clearEnv: true,
      env: {
        ...bareEnvironment(home),
        SEALKV_ACCESS_TOKEN: ACCESS_TOKEN,
        SEALKV_ADMIN_TOKEN: ADMIN_TOKEN,
        ...options.env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new NodeProcess(child, home, dataDir);
  }

  /** Waits for the `ready` line. @throws When the node ends or says nothing. */
  async ready(): Promise<Bound> {
    const line = await within(
      READY_MS_MAX,
      this.#output.waitFor(READY),
      () => this.#child.kill("SIGKILL"),
    );
    if (line === null) {
      await this.#complaints.ended;
      fail(`the node did not get ready:\n${this.output}`);
    }
    this.#bound = JSON.parse(line[1]!) as Bound;
    return this.#bound;
  }

  /** Whether it writes an event like this, sooner or later. */
  async says(pattern: RegExp): Promise<boolean> {
    const found = this.#complaints.waitFor(pattern);
    const kill = () => this.#child.kill("SIGKILL");
    return await within(EXIT_MS_MAX, found, kill) !== null;
  }

  get bound(): Bound {
    return this.#bound ?? fail("the node is not ready yet");
  }

  /** What clients open. */
  get url(): string {
    return `http://${this.bound.listen}`;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Standard output and error so far. */
  get output(): string {
    return `${this.#output.text}${this.#complaints.text}`;
  }

  get stderr(): string {
    return this.#complaints.text;
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited();
  }

  /** Asks the node to stop; resolves with its exit code. */
  async stop(): Promise<number> {
    this.signal("SIGTERM");
    return await this.exited();
  }

  /**
   * The exit code, once the process ended and its output is read. One that goes
   * on for too long is killed, which its exit code shows.
   */
  async exited(): Promise<number> {
    const kill = () => this.signal("SIGKILL");
    const { code } = await within(EXIT_MS_MAX, this.#status, kill);
    await Promise.all([this.#output.ended, this.#complaints.ended]);
    return code;
  }

  /** Sends a signal, if the process still runs. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // Deno's complaint about a child that has ended.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#home, { recursive: true });
  }
}

/** `work`; when it takes longer than `ms`, `onLate` has to end it. */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  onLate: () => void,
): Promise<T> {
  const timer = setTimeout(onLate, ms);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
