/*
 * Goal: the demo shows what it promises, on real disks, and leaves nothing
 * behind, however it ends.
 * Method: the program itself, without a terminal, in a temporary directory of
 * its own; processes are found by that directory in their command lines.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { HAS_CLUSTERS } from "./cluster_process.ts";
import { demosIn, nodesIn, withDemoHome } from "./demo_home.ts";
import { bareEnvironment, sealkvCommand, within } from "./node_process.ts";
import { Output } from "./output.ts";
import { until } from "./until.ts";

const DEMO_MS_MAX = 180_000;
const GONE_MS_MAX = 20_000;
/** The nodes run, and the demo is in the middle of its work. */
const UNDER_WAY = /^Phase 0/m;
const MEMBERS = ["n1", "n2", "n3"];

/** A demo in a home of its own. */
class DemoProcess {
  readonly home: string;
  readonly child: Deno.ChildProcess;
  readonly out: Output;
  readonly err: Output;

  constructor(home: string, flags: readonly string[]) {
    this.home = home;
    const [program, ...words] = sealkvCommand();
    this.child = new Deno.Command(program, {
      args: [...words, "demo", ...flags],
      clearEnv: true,
      env: {
        ...bareEnvironment(home),
        TMPDIR: home,
        // Of the user's, and not for the nodes of a demo.
        SEALKV_CLUSTER_NAME: "prod",
        SEALKV_CONFIG: "/none",
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.out = new Output(this.child.stdout);
    this.err = new Output(this.child.stderr);
  }

  async exited(): Promise<number> {
    const kill = () => this.child.kill("SIGKILL");
    const { code } = await within(DEMO_MS_MAX, this.child.status, kill);
    await Promise.all([this.out.ended, this.err.ended]);
    return code;
  }

  async underWay(): Promise<void> {
    const seen = await within(
      DEMO_MS_MAX,
      this.out.waitFor(UNDER_WAY),
      () => this.child.kill("SIGKILL"),
    );
    ok(seen !== null, this.err.text);
  }

  /** Pids of nodes, by name. */
  nodes(): ReadonlyMap<string, number> {
    return nodesIn(this.home);
  }

  /** Directories that demos made. */
  left(): readonly string[] {
    return demosIn(this.home);
  }
}

/** Members in whose files the text is, of each look, in order. */
function looksOf(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(/^Phase \d.*On the disks:\n((?: .*\n)+)/gm)]
    .map(([, lines = ""]) =>
      [...lines.matchAll(/^ {2}(n\d) {2}FOUND in \d+ files? of \d+: \S/gm)]
        .map(([, name = ""]) => name)
    );
}

Deno.test({
  name: "a demo takes the whole rollout and goes on where it was",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withDemoHome(async (home) => {
      const dir = `${home}/kept`;
      const first = new DemoProcess(home, ["--dir", dir]);
      equal(await first.exited(), 0, first.out.text + first.err.text);
      const { text } = first.out;
      deepEqual(looksOf(text), [MEMBERS, []], text);
      const commands = [...text.matchAll(/^ {4}\$ (.*)$/gm)]
        .map(([, command]) => command);
      deepEqual(commands, [
        "sealkv encryption enable-storage-envelope --confirm demo",
        "sealkv encryption rewrite --follow",
        "sealkv encryption seal-cleartext --confirm demo",
        "sealkv encryption enable-raft-envelope --confirm demo",
        "sealkv encryption scrub",
        "sealkv encryption status --verify",
      ]);
      equal(text.match(/^ {6}done at index [1-9]\d*, \d+\.\d s$/gm)?.length, 4);
      match(
        text,
        /^The writer: \d+ writes, 0 failed; \d+ values read back, 0/m,
      );
      match(first.err.text, /sealkv demo --dir \S+\/kept$/m);
      equal(first.nodes().size, 0);

      const second = new DemoProcess(home, ["--auto", "--dir", dir]);
      equal(await second.exited(), 0, second.out.text + second.err.text);
      deepEqual(looksOf(second.out.text), [[], []], second.out.text);
      ok(!second.out.text.includes("    $ "), second.out.text);
      const canary = /canary-[0-9a-f]{8}/;
      equal(canary.exec(second.out.text)?.[0], canary.exec(text)?.[0]);
    }),
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test({
    name: `a demo that gets ${signal} leaves nothing behind`,
    ignore: !HAS_CLUSTERS,
    fn: () =>
      withDemoHome(async (home) => {
        const demo = new DemoProcess(home, ["--auto"]);
        await demo.underWay();
        deepEqual([...demo.nodes().keys()].sort(), MEMBERS);
        equal(demo.left().length, 1);
        demo.child.kill(signal);
        equal(await demo.exited(), 130, demo.err.text);
        equal(demo.nodes().size, 0);
        deepEqual(demo.left(), []);
      }),
  });
}

Deno.test({
  name: "a demo whose node dies says its last words and ends",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withDemoHome(async (home) => {
      const demo = new DemoProcess(home, ["--auto"]);
      await demo.underWay();
      Deno.kill(demo.nodes().get("n2")!, "SIGKILL");
      equal(await demo.exited(), 1, demo.err.text);
      match(demo.err.text, /^error\[CLI_PROGRAM_ENDED\]: .*"node n2" ended/m);
      equal(demo.nodes().size, 0);
      deepEqual(demo.left(), []);
    }),
});

Deno.test({
  name: "no node outlives a demo that is killed",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withDemoHome(async (home) => {
      const demo = new DemoProcess(home, ["--auto"]);
      await demo.underWay();
      demo.child.kill("SIGKILL");
      await demo.exited();
      await until(
        "its nodes are gone",
        GONE_MS_MAX,
        () => Promise.resolve(demo.nodes().size === 0),
      );
    }),
});
