import { bracketPairs, functionsOf, type FunctionSpan } from "./functions.ts";
import {
  type Finding,
  folderOf,
  lineAt,
  resolveImport,
  type Source,
  type Tree,
} from "./source.ts";

const FUNCTION_LINES_MAX = 60;
const SOURCE_LINES_MAX = 400;
const TEST_LINES_MAX = 600;

/** One forbidden pattern over masked code. */
interface Ban {
  readonly pattern: RegExp;
  readonly rule: string;
  readonly use: string;
  /** True where the pattern may stand. */
  readonly allowed: (source: Source) => boolean;
}

const inFolder = (...folders: readonly string[]) => (source: Source) => {
  const folder = folderOf(source.path) ??
    (source.path.startsWith("tui/") ? "tui" : null);
  return folder === null || folders.includes(folder);
};

const WORLD = "the world only in io/";
const BANS: readonly Ban[] = [
  ban(/\bDeno\b/, WORLD, "a port of src/io", inFolder("io", "cli")),
  ban(/\bglobalThis\b/, WORLD, "a port of src/io", inFolder("io")),
  // A method of that name is a port's; it stands alone before its body or type.
  ban(
    /(?<![.\w$#])(?<!^\s+(?:async )?(?=fetch\([^;{}]*\)\s*[:{]))fetch\s*\(/m,
    WORLD,
    "HttpClientPort",
    inFolder("io"),
  ),
  ban(/\bnew Worker\b/, WORLD, "a port of src/io", inFolder("io")),
  ban(/(?<![.\w$#])process\./, WORLD, "ProcessPort", hasOwnProcess),
  ban(
    /\b(?:Date\.now|new Date\(\)|performance\.now)/,
    WORLD,
    "Clock",
    inFolder("io"),
  ),
  ban(
    /\b(?:setTimeout|setInterval|AbortSignal\.timeout)\b/,
    WORLD,
    "Clock.after",
    inFolder("io"),
  ),
  ban(
    /\b(?:Math\.random|getRandomValues|randomUUID)\b/,
    WORLD,
    "Random",
    inFolder("io"),
  ),
  ban(
    /\bcrypto\.subtle\b/,
    "crypto.subtle only in crypto/ and keys/",
    "src/crypto",
    inFolder("crypto", "keys"),
  ),
  ban(/\bconsole\./, "printing only in cli/", "EventLog", inFolder("cli")),
  ban(
    /(?<![.\w$])any(?=\s*(?:[;,)>\]|&={]|\[\]|$))(?<=(?:[:<|&,(]|\bas)\s*any)/m,
    "any",
    "unknown and a parser",
    inFolder(),
  ),
  ban(
    /[\w$)\]]!(?!=)/,
    "non-null assertion",
    "present() of base/assert.ts",
    inFolder(),
  ),
  ban(/\.only\(/, "leftover", "the whole suite", () => false),
];

function ban(
  pattern: RegExp,
  rule: string,
  use: string,
  allowed: (source: Source) => boolean,
): Ban {
  return {
    pattern: new RegExp(pattern, `${pattern.flags}g`),
    rule,
    use,
    allowed,
  };
}

/** `process` may be a port that the file was handed. */
function hasOwnProcess(source: Source): boolean {
  return inFolder("io")(source) ||
    /\b(?:const|let)\s+process\b|[{,(]\s*(?:readonly\s+)?process\s*[:,})]/
      .test(source.code);
}

/** The world, printing, `any`, `!` and what was left over. */
export function bannedPatterns(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const source of tree.sources.values()) {
    const { path, code } = source;
    for (const { pattern, rule, use, allowed } of BANS) {
      if (allowed(source)) continue;
      for (const match of code.matchAll(pattern)) {
        findings.push({ path, line: lineAt(code, match.index), rule, use });
      }
    }
    if (!inFolder("io")(source)) findings.push(...nodeImports(source));
    findings.push(...leftovers(source));
  }
  return findings;
}

function nodeImports({ path, imports }: Source): Finding[] {
  return imports.filter((item) => item.specifier.startsWith("node:"))
    .map(({ line }) => ({ path, line, rule: WORLD, use: "a port of src/io" }));
}

/** The words are joined here, or this file would find itself. */
const LEFTOVER = new RegExp(`\\b(?:${"FIX" + "ME"}|${"XX" + "X"})\\b`, "g");

function leftovers({ path, text }: Source): Finding[] {
  return [...text.matchAll(LEFTOVER)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    rule: "leftover",
    use: "the fix, or an issue",
  }));
}

/** Casts to a brand outside the file that defines it. */
export function brandCasts(tree: Tree): Finding[] {
  const homes = new Map<string, string>();
  for (const { path, code } of tree.sources.values()) {
    for (
      const match of code.matchAll(/\btype (\w+) =\s*(?:Brand<|[^;]*__tag)/g)
    ) {
      homes.set(match[1] as string, path);
    }
  }
  const findings: Finding[] = [];
  for (const { path, code } of tree.sources.values()) {
    if (!path.startsWith("src/")) continue;
    for (const match of code.matchAll(/\bas (\w+)/g)) {
      const home = homes.get(match[1] as string);
      if (home === undefined || home === path) continue;
      const line = lineAt(code, match.index);
      findings.push({ path, line, rule: "cast to a brand", use: home });
    }
  }
  return findings;
}

/** Files and functions that are too long. */
export function sizes(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const { path, text, code } of tree.sources.values()) {
    const inTests = path.startsWith("tests/");
    const max = inTests ? TEST_LINES_MAX : SOURCE_LINES_MAX;
    const lines = text.split("\n").length - 1;
    if (lines > max) {
      const rule = `file of ${lines} lines (most ${max})`;
      findings.push({ path, line: 1, rule, use: "one file per question" });
    }
    if (inTests) continue;
    for (const span of functionsOf(code)) {
      const length = linesOf(code, span);
      if (length <= FUNCTION_LINES_MAX) continue;
      const line = lineAt(code, span.start);
      const rule =
        `${span.name} of ${length} lines (most ${FUNCTION_LINES_MAX})`;
      findings.push({ path, line, rule, use: "one function per question" });
    }
  }
  return findings;
}

/** Lines of a function, not counting the `switch` that is its body. */
function linesOf(code: string, { start, bodyStart, bodyEnd }: FunctionSpan) {
  const length = code.slice(start, bodyEnd).split("\n").length;
  if (length <= FUNCTION_LINES_MAX) return length;
  const body = code.slice(bodyStart + 1, bodyEnd - 1);
  const pairs = bracketPairs(body);
  let inSwitches = 0;
  let at = 0;
  while (at < body.length) {
    const end = pairs.get(at);
    if (end === undefined) {
      at += 1;
      continue;
    }
    const head = body.slice(0, at);
    if (body[at] === "{" && /\bswitch\s*\([^;]*\)\s*$/.test(head.slice(-200))) {
      inSwitches += body.slice(at, end).split("\n").length;
    }
    at = end + 1;
  }
  return length - inSwitches;
}

/** Files and value exports that nobody imports. */
export function dead(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  const uses = usesOf(tree);
  for (const source of tree.sources.values()) {
    const { path, code } = source;
    if (!/^(?:src|tui)\//.test(path)) continue;
    const use = uses.get(path);
    if (use === undefined || !use.some(({ by }) => !by.startsWith("tests/"))) {
      const rule = "a file nobody imports";
      findings.push({ path, line: 1, rule, use: "it, or remove it" });
    }
    if (use === undefined || use.some(({ names }) => names === null)) continue;
    const names = new Set(use.flatMap(({ names }) => names ?? []));
    for (const { name, offset, isType } of exportsOf(code)) {
      if (names.has(name) || isType && mentions(code, name) > 1) continue;
      const line = lineAt(code, offset);
      const rule = `export ${name} that nobody imports`;
      findings.push({ path, line, rule, use: "no export" });
    }
  }
  return findings;
}

interface Use {
  readonly by: string;
  readonly names: readonly string[] | null;
}

function usesOf(tree: Tree): ReadonlyMap<string, Use[]> {
  const uses = new Map<string, Use[]>();
  for (const source of tree.sources.values()) {
    for (const { specifier, names } of source.imports) {
      const target = resolveImport(source.path, specifier);
      if (target === null) continue;
      const known = uses.get(target) ?? [];
      uses.set(target, [...known, { by: source.path, names }]);
    }
  }
  return uses;
}

const EXPORT =
  /^export (?:declare )?(?:abstract |async )*(function\*?|const|let|class|interface|type) (\w+)/gm;

function exportsOf(code: string) {
  return [...code.matchAll(EXPORT)].map((match) => ({
    name: match[2] as string,
    offset: match.index,
    /** A type, class or not, may be exported for the signature that names it. */
    isType: /^(?:class|interface|type)$/.test(match[1] ?? ""),
  }));
}

function mentions(code: string, name: string): number {
  return code.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0;
}
