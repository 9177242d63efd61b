import { print } from "./print.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const PROGRAM = `${ROOT}tools/demo_program.ts`;
const ANY_PORT = "127.0.0.1:0";

/** One node in a temporary directory, and an ordinary program that uses it. */
async function main(): Promise<number> {
  const dir = await Deno.makeTempDir({ prefix: "sealkv-demo-" });
  const token = crypto.randomUUID();
  const node = startNode(dir, token);
  try {
    const url = await readyUrl(node);
    if (url === null) return 1;
    print(`A node runs at ${url} and keeps its data in ${dir}.\n`);
    print(await Deno.readTextFile(PROGRAM));
    print(`\nThe program above, run against the node, says:\n`);
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--unstable-kv", "--quiet", PROGRAM, url],
      env: { DENO_KV_ACCESS_TOKEN: token },
      stdin: "null",
    }).output().then(relay);
    return code;
  } finally {
    stop(node);
    await node.status;
    await Deno.remove(dir, { recursive: true });
    print(`\nThe node has stopped and its directory is removed.`);
  }
}

function startNode(dir: string, token: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", `${ROOT}main.ts`, "serve"],
      ...["--data-dir", `${dir}/n1`, "--log-level", "warn"],
      ...["--listen", ANY_PORT],
      ...["--peer-listen", ANY_PORT],
      ...["--admin-listen", ANY_PORT],
    ],
    env: {
      SEALKV_ACCESS_TOKEN: token,
      SEALKV_ADMIN_TOKEN: token,
      SEALKV_PEER_TOKEN: token,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Address of the node's `ready` line; `null` when it ends without one. */
async function readyUrl(node: Deno.ChildProcess): Promise<string | null> {
  let text = "";
  for await (const part of node.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    const ready = /^ready (\{.*\})$/m.exec(text);
    if (ready !== null) return `http://${JSON.parse(ready[1] ?? "").listen}`;
  }
  return null;
}

function stop(node: Deno.ChildProcess): void {
  try {
    node.kill("SIGTERM");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

function relay(output: Deno.CommandOutput): Deno.CommandOutput {
  const text = new TextDecoder().decode(output.stdout) +
    new TextDecoder().decode(output.stderr);
  print(text.trimEnd());
  return output;
}

if (import.meta.main) Deno.exitCode = await main();
