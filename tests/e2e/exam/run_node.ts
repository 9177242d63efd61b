/**
 * Puts the exam to a server through npm's @deno/kv, under the `node` on PATH:
 *
 *     deno run -A tests/e2e/exam/run_node.ts http://127.0.0.1:4512 TOKEN [name]
 */
import { bundleForNode } from "../npm_client.ts";

Deno.exitCode = await main(Deno.args);

async function main(args: readonly string[]): Promise<number> {
  const work = await Deno.makeTempDir({ prefix: "exam_node_" });
  try {
    const main = new URL("node_main.ts", import.meta.url).pathname;
    const { code } = await new Deno.Command("node", {
      args: [await bundleForNode(main, work), ...args],
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).output();
    return code;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
