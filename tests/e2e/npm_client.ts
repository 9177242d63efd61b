/*
 * Programs on Node that use npm's @deno/kv: bundled from the TypeScript of
 * these tests, with the package beside them.
 *
 * EXAM_NODE_MODULES names a directory in which @deno/kv is installed; without
 * it, npm installs one.
 */
const KV_PACKAGE = "@deno/kv@0.14.0";

/** True where there is a Node to run them. */
export const HAS_NODE = await isThere("node") && await isThere("npm");

const bundles = new Map<string, Promise<string>>();

/**
 * As `bundleForNode`, once for each `main`, into a directory that is removed
 * when this module ends.
 */
export function sharedBundle(main: string): Promise<string> {
  let bundle = bundles.get(main);
  if (bundle === undefined) {
    const work = Deno.makeTempDirSync({ prefix: "sealkv-npm-" });
    const remove = () => Deno.removeSync(work, { recursive: true });
    globalThis.addEventListener("unload", remove);
    bundle = bundleForNode(main, work);
    bundles.set(main, bundle);
    // Whoever asks next tries anew: npm may have been out of reach.
    bundle.catch(() => bundles.delete(main));
  }
  return bundle;
}

/**
 * Puts `main`, a file of these tests, into `work`; the path of what to run with
 * `node`.
 *
 * @throws {Error} When a tool fails, which has then said why.
 */
export async function bundleForNode(
  main: string,
  work: string,
): Promise<string> {
  const installed = Deno.env.get("EXAM_NODE_MODULES");
  if (installed === undefined) {
    const quiet = ["--no-audit", "--no-fund", "--silent"];
    await succeed("npm", ["install", "--prefix", work, ...quiet, KV_PACKAGE]);
  } else await Deno.symlink(installed, `${work}/node_modules`);
  const output = `${work}/program.mjs`;
  const bundle = ["bundle", "--quiet", "--output", output, main];
  await succeed(Deno.execPath(), bundle);
  return output;
}

async function succeed(
  command: string,
  args: readonly string[],
): Promise<void> {
  const { success, code } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${command} ended with code ${code}`);
}

async function isThere(command: string): Promise<boolean> {
  try {
    const args = ["--version"];
    return (await new Deno.Command(command, { args }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
