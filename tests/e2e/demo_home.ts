/* Where demos of a test keep all they have, and what is left of them. */

/** Nodes that keep their data below `home`: pids by name. */
export function nodesIn(home: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { name: pid } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const words = commandOf(pid);
    const dir = words[words.indexOf("--data-dir") + 1] ?? "";
    if (!words.includes("serve") || !dir.startsWith(`${home}/`)) continue;
    found.set(dir.split("/").pop() ?? "", Number(pid));
  }
  return found;
}

/** Directories that demos made in `home` and have not removed. */
export function demosIn(home: string): readonly string[] {
  return [...Deno.readDirSync(home)].map(({ name }) => name)
    .filter((name) => name.startsWith("sealkv-demo-"));
}

function commandOf(pid: string): readonly string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound ||
      /os error 3\b/.test(String(error));
    if (isGone) return [];
    throw error;
  }
}

/** Gives `use` a directory for temporary ones; ends what was left in it. */
export async function withDemoHome(
  use: (home: string) => Promise<void>,
): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "sealkv-demo-test-" });
  try {
    await use(home);
  } finally {
    for (const pid of nodesIn(home).values()) Deno.kill(pid, "SIGKILL");
    await Deno.remove(home, { recursive: true });
  }
}
