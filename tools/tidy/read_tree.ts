import { type Tree, treeOf } from "./source.ts";

const ROOTS = ["src", "tests", "tools", "bench", "tui", "docs"];
const SKIPPED = new Set(["node_modules", "dist", "fixtures", "testdata"]);

/** Reads the project that lies in the working directory. */
export function readTree(): Tree {
  const files = new Map<string, string>();
  for (const entry of Deno.readDirSync(".")) {
    if (entry.isFile && /\.(?:ts|md)$/.test(entry.name)) {
      files.set(entry.name, Deno.readTextFileSync(entry.name));
    }
  }
  for (const root of ROOTS) readFolder(root, files);
  return treeOf(new Map([...files].sort(([a], [b]) => a < b ? -1 : 1)));
}

function readFolder(path: string, files: Map<string, string>): void {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  for (const entry of entries) {
    const child = `${path}/${entry.name}`;
    if (entry.isDirectory && !SKIPPED.has(entry.name)) readFolder(child, files);
    if (entry.isFile && /\.(?:tsx?|md)$/.test(entry.name)) {
      files.set(child, Deno.readTextFileSync(child));
    }
  }
}
