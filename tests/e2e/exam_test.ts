/*
 * Goal: programs on Deno 2.9 and 2.5 and on Node find in a node all that the
 * API of Deno KV promises of a remote.
 * Method: one scenario (`exam/scenario.ts`), each case in a database of its
 * own, put by each client in a process of its own to one real node.
 */
import assert from "node:assert/strict";
import { ACCESS_TOKEN, NodeProcess } from "./node_process.ts";
import { HAS_NODE } from "./npm_client.ts";

const OLD_DENO = "deno@2.5.7";
const DONE = /^exam: (\d+) passed, 0 failed, \d+ skipped$/m;
const PASSED_MIN = 200;

const exam = (name: string) =>
  new URL(`exam/${name}`, import.meta.url).pathname;

Deno.test("serve passes the exam put by this Deno", async () => {
  await using node = await NodeProcess.start();
  const deno = Deno.execPath();
  await pass(deno, [...runArgs(exam("run.ts")), node.url, ACCESS_TOKEN]);
});

Deno.test({
  name: "serve passes the exam put by Deno 2.5",
  ignore: !HAS_NODE,
  async fn() {
    const work = await Deno.makeTempDir({ prefix: "exam_deno_" });
    try {
      const deno = Deno.env.get("EXAM_OLD_DENO") ?? await oldDeno(work);
      await using node = await NodeProcess.start();
      await pass(deno, [...runArgs(exam("run.ts")), node.url, ACCESS_TOKEN]);
    } finally {
      await Deno.remove(work, { recursive: true });
    }
  },
});

Deno.test({
  name: "serve passes the exam put by @deno/kv on Node",
  ignore: !HAS_NODE,
  async fn() {
    await using node = await NodeProcess.start();
    const deno = Deno.execPath();
    await pass(deno, [...runArgs(exam("run_node.ts")), node.url, ACCESS_TOKEN]);
  },
});

function runArgs(script: string): string[] {
  return ["run", "-A", "--quiet", "--no-lock", "--unstable-kv", script];
}

/** Installs the program itself: npm's launcher is not needed. */
async function oldDeno(work: string): Promise<string> {
  const quiet = ["--no-audit", "--no-fund", "--silent"];
  const install = await new Deno.Command("npm", {
    args: ["install", "--prefix", work, ...quiet, OLD_DENO],
    stdin: "null",
  }).output();
  assert.ok(install.success, new TextDecoder().decode(install.stderr));
  const packages = `${work}/node_modules/@deno`;
  for await (const { name } of Deno.readDir(packages)) {
    const program = `${packages}/${name}/deno`;
    await Deno.chmod(program, 0o755);
    return program;
  }
  return assert.fail(`npm installed no program of ${OLD_DENO}`);
}

async function pass(command: string, args: readonly string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout) + decoder.decode(stderr);
  const passed = Number(DONE.exec(said)?.[1] ?? 0);
  assert.ok(success && passed >= PASSED_MIN, said);
}
