/*
 * Goal: no message, remedy or help names a command or flag that does not exist.
 * Method: read every string of src/, look commands and flags up in the tree.
 */
import assert from "node:assert/strict";
import { commandPaths, flagsOf, programOfTests } from "./command_tree.ts";

const SRC = new URL("../../../src/", import.meta.url);
const program = programOfTests();
const paths = new Set([...commandPaths(program), "help"]);
const flags = flagsOf(program);
/** The example of a flag, and flags of Deno's. */
const FOREIGN_FLAGS = ["--some-name", "--quiet", "--frozen"];
/** Files whose flags are of another program: etcd. */
const FOREIGN_FILES = ["bench_etcd.ts"];

Deno.test("every `sealkv COMMAND` that a message names exists", async () => {
  const unknown: string[] = [];
  let seen = 0;
  for await (const { path, text } of strings()) {
    for (const [, line = ""] of text.matchAll(/`sealkv ([^`]*)`/g)) {
      seen += 1;
      const words = line.split(" ").filter((word) => /^[a-z]+$/.test(word));
      const isKnown = paths.has(words.slice(0, 2).join(" ")) ||
        paths.has(words[0] ?? "") && words[0] !== "kv" ||
        /^(COMMAND|\$\{)/.test(line);
      if (!isKnown) unknown.push(`${path}: sealkv ${line}`);
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(seen > 5, `only ${seen} found: the pattern is stale`);
});

Deno.test("every --flag that a message names exists", async () => {
  const unknown: string[] = [];
  let seen = 0;
  for await (const { path, text } of strings()) {
    if (FOREIGN_FILES.includes(path)) continue;
    for (const [flag] of text.matchAll(/(?<![\w-])--[a-z][a-z-]*[a-z]/g)) {
      seen += 1;
      if (!FOREIGN_FLAGS.includes(flag) && !flags.has(flag)) {
        unknown.push(`${path}: ${flag}`);
      }
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(seen > 30, `only ${seen} found: the pattern is stale`);
});

/** Lines of src/ that are no comments, with adjacent literals joined. */
async function* strings(
  folder = SRC,
): AsyncGenerator<{ readonly path: string; readonly text: string }> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && name !== "gen") {
      yield* strings(new URL(`${name}/`, folder));
    } else if (name.endsWith(".ts")) {
      const text = await Deno.readTextFile(new URL(name, folder));
      yield { path: name, text: withoutComments(text) };
    }
  }
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\*\*|\*|\/\/).*$/gm, "")
    .replace(/"\s*\+\s*"/g, "").replace(/\\`/g, "`");
}
