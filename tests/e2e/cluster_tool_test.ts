/*
 * Goal: `deno task cluster` gives a newcomer three members that work, says how
 * to use them, and leaves nothing behind.
 * Method: the program as the task runs it, on ports that nobody uses.
 */
import { equal, match, ok } from "node:assert/strict";
import { leash } from "../../tools/leash.ts";
import { runSealkv } from "./cli_process.ts";
import { HAS_CLUSTERS } from "./cluster_process.ts";
import { bareEnvironment, within } from "./node_process.ts";
import { Output } from "./output.ts";
import { until } from "./until.ts";

const TOOL = new URL("../../tools/cluster.ts", import.meta.url).pathname;
const READY_MS_MAX = 60_000;
const END_MS_MAX = 30_000;
const AGREED_MS_MAX = 30_000;

/** The tool in a process of its own. */
class Tool implements AsyncDisposable {
  readonly output: Output;
  readonly #child: Deno.ChildProcess;
  readonly #home: string;

  private constructor(child: Deno.ChildProcess, home: string) {
    this.#child = child;
    this.#home = home;
    this.output = new Output(child.stdout);
  }

  static async start(args: readonly string[]): Promise<Tool> {
    const home = await Deno.makeTempDir({ prefix: "sealkv-tool-" });
    const [program = "", ...words] = [...leash("KILL"), Deno.execPath()];
    const child = new Deno.Command(program, {
      args: [...words, "run", "-A", "--quiet", TOOL, ...args],
      clearEnv: true,
      env: { ...bareEnvironment(home), TMPDIR: home },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return new Tool(child, home);
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const match = await within(
      READY_MS_MAX,
      this.output.waitFor(pattern),
      () => this.#child.kill("SIGKILL"),
    );
    ok(match !== null, `it never said ${pattern}:\n${this.output.text}`);
    return match;
  }

  /** Sends a signal; the exit code. */
  async end(signal: Deno.Signal): Promise<number> {
    this.#child.kill(signal);
    const kill = () => this.#child.kill("SIGKILL");
    const { code } = await within(END_MS_MAX, this.#child.status, kill);
    await this.output.ended;
    return code;
  }

  /** What it left under its directory for temporary files. */
  async left(): Promise<readonly string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.#home));
    return entries.map(({ name }) => name).filter((name) =>
      name.startsWith("sealkv-")
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // Deno's complaint about a child that has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
    await this.output.ended;
    await Deno.remove(this.#home, { recursive: true });
  }
}

/** The first of 30 ports, below those that systems give out by themselves. */
function drawPort(): string {
  const [drawn = 0] = crypto.getRandomValues(new Uint16Array(1));
  return String(20_000 + drawn % 10_000);
}

Deno.test({
  name: "deno task cluster: three members, one database, nothing left behind",
  ignore: !HAS_CLUSTERS,
  async fn() {
    await using tool = await Tool.start(["--base-port", drawPort()]);
    const [, path = ""] = await tool.says(
      /DENO_KV_ACCESS_TOKEN=\$\(cat (\S+)\)/,
    );
    Deno.env.set(
      "DENO_KV_ACCESS_TOKEN",
      (await Deno.readTextFile(path)).trim(),
    );
    const urls = [...tool.output.text.matchAll(/^ {2}n\d {2}(http:\S+)/gm)]
      .map(([, url]) => url!);
    equal(urls.length, 3, tool.output.text);
    using first = await Deno.openKv(urls[0]);
    using last = await Deno.openKv(urls[2]);
    await first.set(["a"], "b");
    equal((await last.get(["a"])).value, "b");

    equal(await tool.end("SIGINT"), 0, tool.output.text);
    for (const name of ["n1", "n2", "n3"]) {
      match(tool.output.text, new RegExp(`^${name} \\| `, "m"));
      match(
        tool.output.text,
        new RegExp(`^${name} has ended with code 0$`, "m"),
      );
    }
    ok(!tool.output.text.includes("\x1b["), "no colour where nobody sees it");
    equal((await tool.left()).join(), "");
  },
});

Deno.test({
  name: "deno task cluster: says which member died, and the others go on",
  ignore: !HAS_CLUSTERS,
  async fn() {
    await using tool = await Tool.start(["--base-port", drawPort()]);
    await tool.says(/^All 3 members serve/m);
    const [, admin = ""] = await tool.says(/n2 {2}\S+ {2}\(admin (\S+)\)/);
    const pid = await until(
      "the process of n2",
      READY_MS_MAX,
      () => pidOf(`--admin-listen ${admin}`),
    );
    Deno.kill(pid, "SIGKILL");
    await tool.says(/^n2 has ended with SIGKILL$/m);
    ok(!/^n[13] has ended/m.test(tool.output.text), tool.output.text);
    equal(await tool.end("SIGTERM"), 1, "one member did not end in order");
  },
});

Deno.test({
  name: "deno task cluster --encrypted: members draw keys as it says",
  ignore: !HAS_CLUSTERS,
  async fn() {
    await using tool = await Tool.start([
      ...["--base-port", drawPort(), "--encrypted"],
    ]);
    const text = () => tool.output.text;
    const [, token = ""] = await tool.says(/ADMIN_TOKEN=\$\(cat (\S+)\)/);
    await tool.says(/^Ctrl-C stops all/m);
    const [, admin = ""] = /SEALKV_ADMIN=(\S+)/.exec(text()) ?? [];
    const lines = text().matchAll(/^ {2}deno task start (encryption .+)$/gm);
    const run = async (words: string) => {
      const { code, stdout, stderr } = await runSealkv(words.split(" "), {
        SEALKV_ADMIN: admin,
        SEALKV_ADMIN_TOKEN: (await Deno.readTextFile(token)).trim(),
      });
      equal(code, 0, `${words}:\n${stderr}\n${text()}`);
      return stdout;
    };
    const said = [...lines].map(([, words = ""]) => words);
    equal(said.length, 3, text());
    const [bootstrap = "", rotate = "", status = ""] = said;
    await run(bootstrap);
    await run(rotate);
    // A follower applies the change a moment after the leader.
    await until(
      "all members agree",
      AGREED_MS_MAX,
      async () => /^all 3 members agree$/m.test(await run(status)),
    );
    equal(await tool.end("SIGINT"), 0, text());
    equal((await tool.left()).join(), "");
  },
});

Deno.test("deno task cluster: refuses flags that make no sense", async () => {
  await using tool = await Tool.start(["--nodes", "0"]);
  match((await tool.says(/^Usage: .+$/m))[0], /--nodes/);
  ok((await tool.says(/--base-port/)) !== null);
});

/** The process whose command line holds `words`; `null` when there is none. */
async function pidOf(words: string): Promise<number | null> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // A process may end meanwhile.
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => "");
    if (line.replaceAll("\0", " ").includes(words)) return Number(name);
  }
  return null;
}
