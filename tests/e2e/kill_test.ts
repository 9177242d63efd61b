/*
 * Goal: a node that is killed at any moment keeps every write it answered, and
 * applies none twice.
 * Method: writers create fresh keys, each with a sum of 1 in the same atomic;
 * the node is killed under them again and again. Then every answered key is
 * there, and the sum equals the number of keys.
 */
import { equal, ok } from "node:assert/strict";
import { loopbackAddress } from "../loopback.ts";
import { ACCESS_TOKEN, NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";

const KILLS = 4;
const WRITES_BETWEEN_KILLS = 400;

Deno.test("kill -9 during load loses no answered write and repeats none", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sealkv-data-" });
  const hostname = loopbackAddress();
  try {
    let node = await NodeProcess.start({ dataDir, hostname });
    const load = new Load(node.url);
    for (let kill = 0; kill < KILLS; kill += 1) {
      await load.answered(WRITES_BETWEEN_KILLS);
      await node[Symbol.asyncDispose]();
      node = await NodeProcess.start({ dataDir, hostname });
    }
    await using last = node;
    const answered = await load.stop();
    ok(answered.length > KILLS * WRITES_BETWEEN_KILLS);

    using kv = await openKv(last.url);
    const present = new Set<string>();
    for await (const { key } of kv.list({ prefix: ["key"] })) {
      present.add(key.join("/"));
    }
    for (const key of answered) ok(present.has(key), `${key} is lost`);
    const sum = await kv.get<Deno.KvU64>(["sum"]);
    equal(sum.value?.value, BigInt(present.size));
    equal(await last.stop(), 0, last.output);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

/** The process of kill_load.ts, and what it was answered. */
class Load {
  readonly #child: Deno.ChildProcess;
  readonly #answered: string[] = [];
  readonly #ended: Promise<void>;
  #waiting: { readonly count: number; readonly wake: () => void } | null = null;

  constructor(url: string) {
    const program = new URL("kill_load.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--unstable-kv", program, url],
      env: { DENO_KV_ACCESS_TOKEN: ACCESS_TOKEN },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#ended = this.#collect();
  }

  /** Resolves after `count` further answers, or when the writers ended. */
  answered(count: number): Promise<void> {
    return new Promise((wake) => {
      this.#waiting = { count: this.#answered.length + count, wake };
    });
  }

  /** Ends the writers; their answered keys. */
  async stop(): Promise<readonly string[]> {
    await this.#child.stdin.close();
    const { success } = await this.#child.status;
    await this.#ended;
    ok(success, "the writers end well");
    return this.#answered;
  }

  async #collect(): Promise<void> {
    let rest = "";
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) {
      const lines = `${rest}${part}`.split("\n");
      rest = lines.pop() ?? "";
      this.#answered.push(...lines);
      if (this.#answered.length >= (this.#waiting?.count ?? Infinity)) {
        this.#wake();
      }
    }
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.wake();
    this.#waiting = null;
  }
}
