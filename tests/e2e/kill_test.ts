/*
 * Goal: a node that is killed at any moment keeps every write it answered, and
 * applies none twice.
 * Method: writers create fresh keys, each with a sum of 1 in the same atomic;
 * the node is killed under them again and again. Then every answered key is
 * there, and the sum equals the number of keys.
 */
import { equal, ok } from "node:assert/strict";
import { loopbackAddress } from "../loopback.ts";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";

const WRITERS = 16;
const KILLS = 4;
const WRITES_BETWEEN_KILLS = 400;

Deno.test("kill -9 during load loses no answered write and repeats none", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sealkv-data-" });
  const hostname = loopbackAddress();
  try {
    let node = await NodeProcess.start({ dataDir, hostname });
    using kv = await openKv(node.url);
    const load = new Load(kv);
    for (let kill = 0; kill < KILLS; kill += 1) {
      await load.answered(WRITES_BETWEEN_KILLS);
      await node.kill();
      await node[Symbol.asyncDispose]();
      node = await NodeProcess.start({ dataDir, hostname });
    }
    await using last = node;
    const answered = await load.stop();
    ok(answered.length > KILLS * WRITES_BETWEEN_KILLS);

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

/** Writers that go on whatever happens to the node. */
class Load {
  readonly #kv: Deno.Kv;
  readonly #answered: string[] = [];
  readonly #writers: Promise<void>[];
  #isStopping = false;
  #waiting: { readonly count: number; readonly wake: () => void } | null = null;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
    this.#writers = Array.from(
      { length: WRITERS },
      (_, writer) => this.#write(writer),
    );
  }

  /** Resolves after `count` further answers. */
  answered(count: number): Promise<void> {
    return new Promise((wake) => {
      this.#waiting = { count: this.#answered.length + count, wake };
    });
  }

  /** Ends the writers; their answered keys. */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true;
    await Promise.all(this.#writers);
    return this.#answered;
  }

  async #write(writer: number): Promise<void> {
    for (let count = 0; !this.#isStopping; count += 1) {
      const key = ["key", writer, count];
      try {
        const result = await this.#kv.atomic()
          .check({ key, versionstamp: null })
          .set(key, `value ${count}`)
          .sum(["sum"], 1n)
          .commit();
        // Refused: the client sent it again after it had been applied.
        if (!result.ok) continue;
      } catch {
        // Not answered: it may have happened or not.
        continue;
      }
      this.#answered.push(key.join("/"));
      if (this.#answered.length >= (this.#waiting?.count ?? Infinity)) {
        this.#waiting?.wake();
        this.#waiting = null;
      }
    }
  }
}
