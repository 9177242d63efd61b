/*
 * Goal: the programs of examples/ do what they say, on a real cluster.
 * Method: each as its own process; the watcher sees the rollout of the other.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { leash } from "../../tools/leash.ts";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { PATIENT } from "./encryption_trial.ts";
import { kekArgs, KekFiles } from "./kek_files.ts";
import {
  ACCESS_TOKEN,
  ADMIN_TOKEN,
  bareEnvironment,
  within,
} from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import { Output } from "./output.ts";
import { CLUSTER_NAME, NAMED, Rollout } from "./rollout.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;
const RUN_MS_MAX = 180_000;

class Example implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly out: Output;
  readonly err: Output;

  constructor(file: string, args: readonly string[], admins: string) {
    const deno = Deno.env.get("SEALKV_DENO") ?? Deno.execPath();
    const flags = ["run", "-A", "--quiet", "--unstable-kv"];
    const [program, ...words] = [...leash("KILL"), deno, ...flags];
    this.#child = new Deno.Command(program!, {
      args: [...words, `${EXAMPLES}${file}`, ...args],
      clearEnv: true,
      env: {
        ...bareEnvironment("/nonexistent"),
        DENO_KV_ACCESS_TOKEN: ACCESS_TOKEN,
        SEALKV_ADMIN_TOKEN: ADMIN_TOKEN,
        SEALKV_ADMIN: admins,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.out = new Output(this.#child.stdout);
    this.err = new Output(this.#child.stderr);
  }

  async ended(): Promise<number> {
    const kill = () => this.#child.kill("SIGKILL");
    const { code } = await within(RUN_MS_MAX, this.#child.status, kill);
    await Promise.all([this.out.ended, this.err.ended]);
    return code;
  }

  async sees(pattern: RegExp): Promise<void> {
    const kill = () => this.#child.kill("SIGKILL");
    const found = await within(RUN_MS_MAX, this.out.waitFor(pattern), kill);
    ok(found !== null, `${pattern}\n${this.out.text}\n${this.err.text}`);
  }

  stop(): void {
    this.#child.kill("SIGINT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // Deno's complaint about a child that has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.ended();
  }
}

Deno.test({
  name: "the examples do what they say",
  ignore: !HAS_CLUSTERS,
  fn: async () => {
    await using files = await KekFiles.open();
    const kek = await files.make("kek");
    const place = () => ({ args: kekArgs(kek) });
    const options = { args: [...PATIENT, ...NAMED], place };
    await withCluster(options, async (cluster) => {
      const rollout = new Rollout(cluster);
      const { admins } = rollout.encrypted;
      await using program = new Example(
        "program.ts",
        [cluster.url("n2")],
        admins,
      );
      equal(await program.ended(), 0, program.err.text);
      deepEqual(program.out.text.trimEnd().split("\n"), [
        "accounts/ana: Ana has 100",
        "accounts/ben: Ben has 20",
        "seen by the watch: 50",
        "after the delete: null",
      ]);

      // Something of before, for the rollout to seal.
      using kv = await openKv(cluster.url("n1"));
      await kv.set(["before"], "in cleartext");

      await using watcher = new Example("watcher.ts", [], admins);
      await watcher.sees(/^prod-eu-1: phase 0, leader n\d, all up$/m);
      await using ci = new Example("rollout_in_ci.ts", [CLUSTER_NAME], admins);
      equal(await ci.ended(), 0, `${ci.out.text}\n${ci.err.text}`);
      match(ci.out.text, /^\$ sealkv encryption seal-cleartext --confirm/m);
      match(ci.out.text, /nothing of before is left\n$/);
      await rollout.isOver();
      await watcher.sees(/^prod-eu-1: phase 2, leader n\d, all up$/m);
      await watcher.sees(/^rewrite: n1 done, n2 done, n3 done$/m);
      await watcher.sees(/: enable-raft-envelope done$/m);
      watcher.stop();
      equal(await watcher.ended(), 0, watcher.err.text);
    });
  },
});
