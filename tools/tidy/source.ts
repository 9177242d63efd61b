/** One TypeScript file as the rules see it. */
export interface Source {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly text: string;
  /**
   * `text` with comments, and what strings, templates and regular expressions
   * hold, blanked: offsets and lines stay the same.
   */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly kind: "static" | "lazy" | "url";
  /** Imported names; `null` when all of them may be used. */
  readonly names: readonly string[] | null;
}

/** One breach of one rule. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  /** What to do instead. */
  readonly use: string;
}

/** The project: every text file, and the parsed TypeScript among them. */
export interface Tree {
  readonly files: ReadonlyMap<string, string>;
  /** Without `gen/`. */
  readonly sources: ReadonlyMap<string, Source>;
}

export function treeOf(files: ReadonlyMap<string, string>): Tree {
  const sources = new Map<string, Source>();
  for (const [path, text] of files) {
    if (!/\.tsx?$/.test(path) || path.includes("/gen/")) continue;
    sources.set(path, sourceOf(path, text));
  }
  return { files, sources };
}

export function sourceOf(path: string, text: string): Source {
  const code = maskCode(text);
  return { path, text, code, imports: importsOf(text, code) };
}

/** 1-based line of `offset`. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  let at = text.indexOf("\n");
  while (at !== -1 && at < offset) {
    line += 1;
    at = text.indexOf("\n", at + 1);
  }
  return line;
}

/** Folder below `src/`; `null` elsewhere. */
export function folderOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** Path of a relative `specifier` in `from`; `null` for a bare one. */
export function resolveImport(from: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

const IMPORT =
  /\bfrom\s*(["'])|\bimport\s*(["'])|\bimport\s*\(\s*(["'])|\bnew URL\(\s*(["'])/g;

function importsOf(text: string, code: string): Import[] {
  const imports: Import[] = [];
  for (const match of code.matchAll(IMPORT)) {
    const start = match.index + match[0].length;
    const end = code.indexOf(match[0].slice(-1), start);
    const specifier = text.slice(start, end);
    const isUrl = match[4] !== undefined;
    if (isUrl && !/^\.{1,2}\/.*\.tsx?$/.test(specifier)) continue;
    imports.push({
      specifier,
      line: lineAt(text, match.index),
      kind: isUrl ? "url" : match[3] !== undefined ? "lazy" : "static",
      names: match[1] === undefined ? null : namesBefore(code, match.index),
    });
  }
  return imports;
}

/** Names of the clause that ends at `from`. */
function namesBefore(code: string, from: number): readonly string[] | null {
  const clause = /(?:import|export)\s+(?:type\s+)?\{([^{}]*)\}\s*$/
    .exec(code.slice(Math.max(0, from - 4_000), from));
  if (clause === null) return null;
  return (clause[1] ?? "").split(",")
    .map((item) => item.trim().replace(/^type\s+/, "").split(/\s+as\s+/)[0])
    .filter((name) => name !== undefined && name !== "") as string[];
}

const REGEX_AFTER = /(?:^|[(,=:[!&|?{};+\-*%~^]|=>|\b(?:return|case|of|in))$/;

/** Blanks comments and the insides of literals, keeping every offset. */
export function maskCode(text: string): string {
  const out = text.split("");
  /** Brace depth at which each open template's `${` ends. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  const blank = (until: number) => {
    for (; at < until && at < text.length; at += 1) {
      if (out[at] !== "\n") out[at] = " ";
    }
  };
  const template = () => {
    while (at < text.length) {
      if (text[at] === "`") return void (at += 1);
      if (text.startsWith("${", at)) {
        templates.push(depth);
        depth += 1;
        return void (at += 2);
      }
      blank(at + (text[at] === "\\" ? 2 : 1));
    }
  };
  while (at < text.length) {
    const char = text[at] as string;
    if (text.startsWith("//", at)) blank(endOf(text, "\n", at));
    else if (text.startsWith("/*", at)) blank(endOf(text, "*/", at + 2) + 2);
    else if (char === '"' || char === "'") {
      const end = literalEnd(text, at, char);
      at += 1;
      blank(end);
      at += 1;
    } else if (char === "`") {
      at += 1;
      template();
    } else if (char === "/" && REGEX_AFTER.test(before(out, at))) {
      const end = literalEnd(text, at, "/");
      at += 1;
      blank(end);
      at += 1;
    } else {
      at += 1;
      if (char === "{") depth += 1;
      if (char === "}") {
        depth -= 1;
        if (templates.at(-1) === depth) {
          templates.pop();
          template();
        }
      }
    }
  }
  return out.join("");
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end === -1 ? text.length : end;
}

/** The few characters before `at`, without trailing blanks. */
function before(out: readonly string[], at: number): string {
  let end = at;
  while (end > 0 && /\s/.test(out[end - 1] as string)) end -= 1;
  return out.slice(Math.max(0, end - 8), end).join("");
}

/** Offset of the closing `quote`, or of the end of the line. */
function literalEnd(text: string, start: number, quote: string): number {
  let inClass = false;
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\n") return at;
    if (char === "\\") at += 1;
    else if (quote === "/" && char === "[") inClass = true;
    else if (quote === "/" && char === "]") inClass = false;
    else if (char === quote && !inClass) return at;
  }
  return text.length;
}
