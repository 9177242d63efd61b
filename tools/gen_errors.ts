import { OLDER_NAMES } from "./older_names.ts";
import { print } from "./print.ts";
import { readTree } from "./tidy/read_tree.ts";
import { lineAt, type Source, type Tree } from "./tidy/source.ts";

export const ERRORS_PAGE = "docs/errors.md";

/** One NodeError class as its source tells. */
export interface ErrorClass {
  readonly name: string;
  readonly code: string;
  /** First paragraph of its docstring. */
  readonly meaning: string;
  readonly remedy: string;
  readonly path: string;
  readonly line: number;
}

/** `ERROR_CODES` as listed. */
export function errorCodes(tree: Tree): string[] {
  const text = tree.files.get("src/base/error_code.ts") ?? "";
  const list = /ERROR_CODES = \[([^\]]*)\]/.exec(text)?.[1] ?? "";
  return [...list.matchAll(/"([^"]+)"/g)].map((match) => match[1] as string);
}

/** Every class of `src/` with a literal `code`. */
export function errorClasses(tree: Tree): ErrorClass[] {
  return [...tree.sources.values()]
    .filter(({ path }) => path.startsWith("src/"))
    .flatMap(classesOf);
}

const CLASS =
  /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\s*)?export (?:abstract )?class (\w+) extends \w+\s*\{/g;

function classesOf({ path, text }: Source): ErrorClass[] {
  if (!text.includes("code")) return [];
  const found = [...text.matchAll(CLASS)];
  return found.flatMap((match, i) => {
    const start = match.index + match[0].length;
    const body = text.slice(start, found[i + 1]?.index ?? text.length);
    const code = /^\s+override readonly code(?:: \w+)? =\s*"([A-Z0-9_]+)"/m
      .exec(body)?.[1];
    if (code === undefined) return [];
    return [{
      name: match[2] as string,
      code,
      meaning: firstParagraph(match[1] ?? ""),
      remedy: remedyOf(body),
      path,
      line: lineAt(text, match.index + match[0].lastIndexOf("export")),
    }];
  });
}

function firstParagraph(docstring: string): string {
  const lines = docstring.split("\n").map((line) =>
    line.replace(/^\s*\*?\s?/, "").trimEnd()
  );
  const text = lines.join("\n").trim().split(/\n\s*\n/)[0] ?? "";
  return text.replaceAll("\n", " ");
}

const LITERAL = /"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;

/** The remedy's text, with `…` where the case fills in. */
function remedyOf(body: string): string {
  const head = /\bremedy\b(?:\(\))?(?:: string)?\s*(?:=(?!>)|\{)/.exec(body);
  if (head === null) return "";
  const from = head.index + head[0].length;
  const rest = body.slice(from);
  const until = rest.search(/;\n/);
  const value = rest.slice(0, until === -1 ? undefined : until);
  let remedy = "";
  let end = 0;
  for (const match of value.matchAll(LITERAL)) {
    const isOther = end > 0 && !value.slice(end, match.index).includes("+");
    remedy += (isOther ? "; or: " : "") +
      (match[1] ?? match[2] ?? "").replaceAll(/\\(.)/g, "$1")
        .replaceAll(/\$\{[^}]*\}/g, "…");
    end = match.index + match[0].length;
  }
  return remedy;
}

/** The page: one row a code, in the order of the list. */
export function errorsPage(tree: Tree): string {
  const classes = new Map(errorClasses(tree).map((item) => [item.code, item]));
  const rows = errorCodes(tree).map((code) => {
    const known = classes.get(code);
    const meaning = known?.meaning ?? "";
    const older = (OLDER_NAMES[code] ?? []).map((name) => `\`${name}\``);
    const cells = [meaning, known?.remedy ?? "", older.join(", ")].map(cell);
    return `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${
      cells.join(" | ")
    } |`;
  });
  return `# Errors

Every error a node or the command line reports carries one of these codes. They
never change their meaning; the message that comes with one names the case.
Written by \`deno task gen:errors\` from the classes in \`src/\`. The older name is
what the system calls it whose design encryption descends from.

| code | meaning | remedy | older name |
| ---- | ------- | ------ | ---------- |
${rows.join("\n")}
`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

if (import.meta.main) {
  const tree = readTree();
  const page = errorsPage(tree);
  if (Deno.args.includes("--check")) {
    if (tree.files.get(ERRORS_PAGE) !== page) {
      print(`${ERRORS_PAGE} is out of date, use deno task gen:errors`);
      Deno.exit(1);
    }
  } else {
    Deno.mkdirSync("docs", { recursive: true });
    Deno.writeTextFileSync(ERRORS_PAGE, page);
  }
}
