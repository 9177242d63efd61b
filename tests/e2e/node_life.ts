import { equal } from "node:assert/strict";
import { loopbackAddress } from "../loopback.ts";
import { runSealkv } from "./cli_process.ts";
import { registered } from "./encryption_seen.ts";
import type { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import { copyDir, StoppedNode } from "./stopped_node.ts";

export const VALUE = "a value of before";
const MOMENTS = ["founded", "bootstrapped", "rotated", "restarted"] as const;

/** A time in the life of a node, each with a clean stop at its end. */
export type Moment = typeof MOMENTS[number];

/**
 * One node with encryption, and copies of its home from several moments: a real
 * node was there, served, and left what it left.
 *
 *     founded       flag, KEK and a record; no keys yet
 *     bootstrapped  epochs 1, registered
 *     rotated       epochs 2 but of the new storage key: 1, registered
 *     restarted     the next epochs, registered; nothing else has changed
 */
export class NodeLife implements AsyncDisposable {
  readonly #home: string;

  private constructor(home: string) {
    this.#home = home;
  }

  static async live(): Promise<NodeLife> {
    const home = await Deno.makeTempDir({ prefix: "sealkv-life-" });
    const life = new NodeLife(home);
    const node = new StoppedNode({
      ...{ home: `${home}/now`, name: "n1", hostname: loopbackAddress() },
    });
    await Deno.mkdir(node.home);
    const { code, stderr } = await runSealkv([
      ...["kek", "generate", "--out", node.kekPath],
    ]);
    equal(code, 0, stderr);
    for (const moment of MOMENTS) {
      await life.#live(node, moment);
      await copyDir(node.home, `${home}/${moment}`);
    }
    return life;
  }

  async #live(stopped: StoppedNode, moment: Moment): Promise<void> {
    await using node = await stopped.start();
    if (moment === "founded") {
      using kv = await openKv(node.url);
      await kv.set(["k"], VALUE);
    } else {
      const purpose = ["--purpose", "storage"];
      if (moment === "bootstrapped") await change(node, ["bootstrap"]);
      if (moment === "rotated") await change(node, ["rotate-dek", ...purpose]);
      await registered(node.bound.admin, stopped.name);
    }
    equal(await node.stop(), 0, node.output);
  }

  /** A copy of the home of that moment, at an address of its own. */
  async at(moment: Moment): Promise<LivedNode> {
    const home = await Deno.makeTempDir({ prefix: "sealkv-copy-" });
    await copyDir(`${this.#home}/${moment}`, home);
    return new LivedNode(this, home);
  }

  /** A file of the data dir as it was at that moment. */
  fileAt(moment: Moment, name: string): string {
    return `${this.#home}/${moment}/n1/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#home, { recursive: true });
  }
}

/** A stopped node that is a copy of a moment. */
export class LivedNode extends StoppedNode implements AsyncDisposable {
  readonly life: NodeLife;

  constructor(life: NodeLife, home: string) {
    super({ home, name: "n1", hostname: loopbackAddress() });
    this.life = life;
  }

  /** Puts a file of another moment in its place. */
  async put(moment: Moment, name: string): Promise<void> {
    await Deno.copyFile(
      this.life.fileAt(moment, name),
      `${this.dataDir}/${name}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.home, { recursive: true });
  }
}

/** Carries out a change of encryption. */
export async function change(
  node: NodeProcess,
  words: readonly string[],
): Promise<void> {
  const { admin } = node.bound;
  const args = ["encryption", ...words, "--admin", admin, "--json"];
  const { code, stderr } = await runSealkv(args);
  equal(code, 0, `${words.join(" ")}: ${stderr}\n${node.output}`);
}

/** The node serves what it had, and stops in order. */
export async function servesItsRecord(node: NodeProcess): Promise<void> {
  {
    using kv = await openKv(node.url);
    equal((await kv.get(["k"])).value, VALUE);
  }
  equal(await node.stop(), 0, node.output);
}
