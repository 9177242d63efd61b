import { equal } from "node:assert/strict";
import {
  type ClientKind,
  decodeItem,
  type HistoryItem,
  isAcknowledged,
} from "./history.ts";
import { leash } from "../../tools/leash.ts";
import type { LoadOrder } from "./load/workload.ts";
import { ACCESS_TOKEN, within } from "./node_process.ts";
import { bundleForNode } from "./npm_client.ts";
import { Output } from "./output.ts";
import { until } from "./until.ts";

const STOP_MS_MAX = 20_000;
const WORDS_SHOWN = 4_000;

/** A program of clients in a process of its own, and what it noted. */
export class LoadProcess implements AsyncDisposable {
  /** In the order in which the calls returned. */
  readonly history: HistoryItem[] = [];
  readonly kind: ClientKind;
  readonly #child: Deno.ChildProcess;
  readonly #work: string;
  readonly #complaints: Output;
  readonly #read: Promise<void>;
  #hasEnded = false;

  private constructor(
    kind: ClientKind,
    child: Deno.ChildProcess,
    work: string,
  ) {
    this.kind = kind;
    this.#child = child;
    this.#work = work;
    this.#complaints = new Output(child.stderr);
    this.#read = this.#collect(child.stdout);
  }

  static async start(
    kind: ClientKind,
    order: LoadOrder,
  ): Promise<LoadProcess> {
    const work = await Deno.makeTempDir({ prefix: "sealkv-load-" });
    try {
      const [program, ...args] = [
        ...leash("KILL"),
        ...await COMMANDS[kind](work),
      ];
      const child = new Deno.Command(program!, {
        args: [...args, JSON.stringify(order)],
        env: { DENO_KV_ACCESS_TOKEN: ACCESS_TOKEN },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      return new LoadProcess(kind, child, work);
    } catch (error) {
      await Deno.remove(work, { recursive: true });
      throw error;
    }
  }

  /** Resolves after `count` further acknowledged writes. */
  async acknowledged(count: number, ms: number): Promise<void> {
    const from = this.#acknowledgedCount();
    await until(
      `${this.kind} clients get ${count} writes acknowledged`,
      ms,
      () => this.#living() && this.#acknowledgedCount() >= from + count,
    );
  }

  /** The first write that began after `sinceMs` and was acknowledged. */
  firstAcknowledged(sinceMs: number): HistoryItem | undefined {
    this.#living();
    return this.history.slice(this.#indexSince(sinceMs)).find((item) =>
      isAcknowledged(item) && item.invokeMs >= sinceMs
    );
  }

  /** Ends the callers; all calls are in the history then. */
  async stop(): Promise<void> {
    await this.#child.stdin.close();
    const kill = () => this.#child.kill("SIGKILL");
    const { code } = await within(STOP_MS_MAX, this.#child.status, kill);
    await Promise.all([this.#read, this.#complaints.ended]);
    equal(code, 0, `${this.kind} clients end well:\n${this.complaints}`);
  }

  /** The last of what the program said besides its calls. */
  get complaints(): string {
    return this.#complaints.text.slice(-WORDS_SHOWN);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.#child.status;
    await Promise.all([this.#read, this.#complaints.ended]);
    // Stays locked to a writer otherwise.
    await this.#child.stdin.close().catch(() => {});
    await Deno.remove(this.#work, { recursive: true });
  }

  #acknowledgedCount(): number {
    return this.history.filter(isAcknowledged).length;
  }

  /** Where calls that returned after `sinceMs` begin. */
  #indexSince(sinceMs: number): number {
    return this.history.findLastIndex(({ returnMs }) =>
      (returnMs ?? Infinity) < sinceMs
    ) + 1;
  }

  /** @throws When the program ended: clients go on whatever happens. */
  #living(): true {
    if (this.#hasEnded) {
      throw new Error(`${this.kind} clients ended:\n${this.complaints}`);
    }
    return true;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      this.history.push(...lines.map(decodeItem));
    }
    this.#hasEnded = true;
  }
}

const COMMANDS: Readonly<
  Record<ClientKind, (work: string) => Promise<readonly string[]>>
> = {
  deno: async () => {
    const flags = ["run", "-A", "--quiet", "--unstable-kv"];
    return [Deno.execPath(), ...flags, path("load/deno_main.ts")];
  },
  npm: async (work) => [
    "node",
    await bundleForNode(path("load/node_main.ts"), work),
  ],
};

function path(name: string): string {
  return new URL(name, import.meta.url).pathname;
}
