/*
 * Goal: no message, remedy, event, help, docstring or page names a command or
 * flag that does not exist.
 * Method: read every string and comment of src/ and every page, look commands
 * and flags up in the tree.
 */
import assert from "node:assert/strict";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { commandPaths, flagsOf, programOfTests } from "./command_tree.ts";

const ROOT = new URL("../../../", import.meta.url);
const program = programOfTests();
const paths = new Set(commandPaths(program));
const flags = flagsOf(program);
/** The example of a flag, flags of Deno's and of curl's, and of our tools. */
const FOREIGN_FLAGS = ["--some-name", "--quiet", "--frozen"];
/** Files whose flags are of another program: etcd, setpriv. */
const FOREIGN_FILES = ["bench_etcd.ts", "leash.ts"];

Deno.test("every `sealkv COMMAND` that a message names exists", async () => {
  const unknown: string[] = [];
  let seen = 0;
  for await (const { path, text } of strings()) {
    for (const [, line = ""] of text.matchAll(/`sealkv ([^`]*)`/g)) {
      seen += 1;
      unknown.push(...complaints(line).map((what) => `${path}: ${what}`));
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(seen > 20, `only ${seen} found: the pattern is stale`);
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

Deno.test("every command in words of a message exists", async () => {
  const unknown: string[] = [];
  let seen = 0;
  for await (const { path, text } of strings()) {
    for (const line of looseCommands(text)) {
      seen += 1;
      unknown.push(...complaints(line).map((what) => `${path}: ${what}`));
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(seen > 1, `only ${seen} found: the pattern is stale`);
});

Deno.test("every command and flag that a docstring names exists", async () => {
  const unknown: string[] = [];
  let seen = 0;
  for await (const { path, text } of comments()) {
    if (FOREIGN_FILES.includes(path)) continue;
    for (const [, line = ""] of text.matchAll(/`sealkv ([^`]*)`/g)) {
      seen += 1;
      unknown.push(...complaints(line).map((what) => `${path}: ${what}`));
    }
    for (const line of looseCommands(text)) {
      seen += 1;
      unknown.push(...complaints(line).map((what) => `${path}: ${what}`));
    }
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

Deno.test("every command and flag that a page names exists", async () => {
  const unknown: string[] = [];
  let seen = 0;
  for await (const { path, text } of pages()) {
    for (const line of commandLines(text)) {
      seen += 1;
      unknown.push(...complaints(line).map((what) => `${path}: ${what}`));
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(seen > 20, `only ${seen} found: the pattern is stale`);
});

Deno.test("complaints() finds a command and a flag that do not exist", () => {
  assert.deepEqual(complaints("member remove n3 --confirm C"), []);
  assert.deepEqual(complaints("member"), []);
  assert.deepEqual(complaints("member dismiss n3"), ["member dismiss"]);
  assert.deepEqual(complaints("kv fetch"), ["kv fetch"]);
  assert.deepEqual(complaints("statuss"), ["statuss"]);
  assert.deepEqual(complaints("status --interval 2s"), ["status --interval"]);
  assert.deepEqual(complaints("help serve"), []);
  assert.deepEqual(complaints("COMMAND --help"), []);
});

Deno.test("looseCommands() finds what stands without the program", () => {
  const text = "do `member dismiss n3`, `encryption status`, or `member`\n" +
    "  2. sealkv kv fetch > x\na sealkv release";
  assert.deepEqual(looseCommands(text), [
    "member dismiss n3",
    "encryption status",
    "kv fetch ",
  ]);
});

/** What a line after `sealkv` names and is not there. */
function complaints(line: string): readonly string[] {
  const [first = "", second = ""] = line.trim().split(/\s+/);
  if (/^(COMMAND|\$\{|--?[a-zA-Z]|…|$)/.test(first)) return [];
  if (first === "help") return complaints(line.trim().slice("help".length));
  if (!paths.has(first)) return [first];
  const isGroup = [...paths].some((path) => path.startsWith(`${first} `));
  const named = isGroup && second !== "" ? `${first} ${second}` : first;
  if (!paths.has(named)) return [named];
  const known = flagsOf(commandOf(named));
  return [...line.matchAll(/(?<![\w-])--[a-z][a-z-]*[a-z]/g)]
    .filter(([flag]) => !known.has(flag))
    .map(([flag]) => `${named} ${flag}`);
}

function commandOf(path: string): CommandUnknownOpts {
  let command: CommandUnknownOpts = program;
  for (const word of path.split(" ")) {
    const child = command.commands.find((one) => one.name() === word);
    assert.ok(child !== undefined, path);
    command = child;
  }
  return command;
}

/** What stands behind `sealkv` in fences and in inline code of a page. */
function* commandLines(page: string): Generator<string> {
  const whole = page.replaceAll(/\\\n\s*/g, " ");
  for (const [, block = ""] of whole.matchAll(/^```.*\n([^]*?)^```$/gm)) {
    for (
      const [, line = ""] of block.matchAll(
        /(?:^|[|;&(]\s*)(?:deno task start|sealkv) ([^|;&)\n]*)/gm,
      )
    ) {
      yield line;
    }
  }
  const prose = whole.replaceAll(/^```[^]*?^```$/gm, "");
  for (const [, line = ""] of prose.matchAll(/`sealkv ([^`]*)`/g)) {
    yield line.replaceAll("\n", " ");
  }
}

/** Commands without the program in front, and those on a line of their own. */
function looseCommands(text: string): string[] {
  const groups = [...paths].filter((path) => path.includes(" "))
    .map((path) => path.split(" ")[0] ?? "");
  const words = [...new Set(groups)].join("|");
  const patterns = [
    new RegExp(`\`((?:${words}) [^\`]*)\``, "g"),
    /^ *(?:\d+\. )?sealkv ([^\n>|]+)/gm,
  ];
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, line = ""]) => line)
  );
}

async function* pages(): AsyncGenerator<Text> {
  yield { path: "README.md", text: await readText(new URL("README.md", ROOT)) };
  const docs = new URL("docs/", ROOT);
  for await (const { name } of Deno.readDir(docs)) {
    if (!name.endsWith(".md")) continue;
    yield { path: name, text: await readText(new URL(name, docs)) };
  }
}

interface Text {
  readonly path: string;
  readonly text: string;
}

/** Lines of src/ that are no comments, with adjacent literals joined. */
async function* strings(): AsyncGenerator<Text> {
  for await (const { path, text } of sources(/\.tsx?$/)) {
    yield { path, text: withoutComments(text) };
  }
}

/** Comments of src/, each on one line. */
async function* comments(): AsyncGenerator<Text> {
  for await (const { path, text } of sources(/\.(?:tsx?|proto)$/)) {
    const blocks = text.match(/\/\*[^]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm) ?? [];
    const lines = blocks.map((block) =>
      block.replace(/^\s*(?:\/\*+|\*\/?|\/\/)/gm, "").replace(/\s+/g, " ")
    );
    yield { path, text: lines.join("\n") };
  }
}

async function* sources(
  names: RegExp,
  folder = new URL("src/", ROOT),
): AsyncGenerator<Text> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && name !== "gen") {
      yield* sources(names, new URL(`${name}/`, folder));
    } else if (names.test(name)) {
      yield { path: name, text: await readText(new URL(name, folder)) };
    }
  }
}

function readText(url: URL): Promise<string> {
  return Deno.readTextFile(url);
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\*\*|\*|\/\/).*$/gm, "")
    .replace(/"\s*\+\s*"/g, "").replace(/\\`/g, "`");
}
