/**
 * Puts the exam to a server through npm's @deno/kv, under the `node` on PATH:
 *
 *     deno run -A tests/e2e/exam/run_node.ts http://127.0.0.1:4512 TOKEN [name]
 *
 * EXAM_NODE_MODULES names a directory in which @deno/kv is installed; without
 * it, npm installs one into a temporary directory.
 */
const KV_PACKAGE = "@deno/kv@0.14.0";
const BUNDLE = "exam.mjs";

Deno.exitCode = await main(Deno.args);

async function main(args: readonly string[]): Promise<number> {
  const work = await Deno.makeTempDir({ prefix: "exam_node_" });
  try {
    const installed = Deno.env.get("EXAM_NODE_MODULES");
    if (installed === undefined) {
      const quiet = ["--no-audit", "--no-fund", "--silent"];
      await succeed(work, "npm", ["install", ...quiet, KV_PACKAGE]);
    } else await Deno.symlink(installed, `${work}/node_modules`);
    const main = new URL("node_main.ts", import.meta.url).pathname;
    await succeed(work, Deno.execPath(), [
      "bundle",
      "--quiet",
      "--output",
      `${work}/${BUNDLE}`,
      main,
    ]);
    return await run(work, "node", [BUNDLE, ...args]);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function succeed(
  cwd: string,
  command: string,
  args: readonly string[],
): Promise<void> {
  const code = await run(cwd, command, args);
  if (code !== 0) throw new Error(`${command} ended with code ${code}`);
}

async function run(
  cwd: string,
  command: string,
  args: readonly string[],
): Promise<number> {
  const { code } = await new Deno.Command(command, {
    cwd,
    args: [...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}
