import {
  errorClasses,
  errorCodes,
  ERRORS_PAGE,
  errorsPage,
} from "../gen_errors.ts";
import { MAP_PAGE, mapPage } from "../gen_map.ts";
import { type Finding, folderOf, type Tree } from "./source.ts";

const DOC_LINES_MAX = 150;
const ADR_LINES_MAX = 50;
const ADR_HEADINGS = [
  "Decision",
  "Because",
  "Instead of",
  "Costs",
  "Checked by",
];
const DRAWERS = new Set(
  ["utils", "util", "helpers", "helper", "common", "misc", "manager", "index"],
);
const TWINNED = new Set(["raft", "fsm", "crypto", "wal", "keys"]);
/** Shapes and classes without behaviour of their own. */
const UNTWINNED = new Set(["types.ts", "port.ts", "errors.ts", "kek_ports.ts"]);

/** snake_case names that say what is inside. */
export function names(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const path of tree.files.keys()) {
    if (!/\.tsx?$/.test(path) || path.includes("/gen/")) continue;
    const parts = path.split("/");
    const stem = (parts.pop() as string).replace(/\.tsx?$/, "");
    const bad = (rule: string, use: string) =>
      findings.push({ path, line: 1, rule, use });
    if (stem === "types.d") bad("a drawer", "types.ts");
    else if (!/^[a-z0-9]+(?:_[a-z0-9]+)*$/.test(stem)) {
      bad("file name", "snake_case");
    }
    if (DRAWERS.has(stem)) bad("a drawer", "the noun it defines");
    for (const part of parts) {
      if (!/^\.?[a-z0-9]+(?:_[a-z0-9]+)*$/.test(part) || DRAWERS.has(part)) {
        bad(`folder name "${part}"`, "a snake_case noun");
      }
    }
  }
  return findings;
}

/** A test file for each file of the folders that carry the risk. */
export function twins(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const path of tree.sources.keys()) {
    const folder = folderOf(path);
    if (folder === null || !TWINNED.has(folder)) continue;
    if (UNTWINNED.has(path.split("/").pop() as string)) continue;
    const twin = path.replace(/^src\//, "tests/unit/")
      .replace(/\.ts$/, "_test.ts");
    if (tree.files.has(twin)) continue;
    findings.push({ path, line: 1, rule: "a file without a twin", use: twin });
  }
  return findings;
}

/** Every code has one class, in its folder, and the page is up to date. */
export function errors(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  const list = "src/base/error_code.ts";
  if (!tree.files.has(list)) return findings;
  const codes = errorCodes(tree);
  const classes = errorClasses(tree);
  if (codes.join() !== codes.toSorted().join()) {
    findings.push({ path: list, line: 1, rule: "order", use: "sorted codes" });
  }
  for (const code of codes) {
    const of = classes.filter((item) => item.code === code);
    if (of.length === 1) continue;
    const rule = `${code} has ${of.length} classes`;
    findings.push({ path: list, line: 1, rule, use: "exactly one" });
  }
  for (const { code, name, path, line } of classes) {
    const folder = folderOf(path)?.toUpperCase();
    if (folder !== undefined && !code.startsWith(`${folder}_`)) {
      const rule = `${name} of another folder`;
      findings.push({ path, line, rule, use: `a code ${folder}_…` });
    }
    if (!codes.includes(code)) {
      const rule = `${code} is not listed`;
      findings.push({ path, line, rule, use: list });
    }
  }
  return findings;
}

/** One title a page, and a length that gets read. */
export function docs(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const [path, text] of tree.files) {
    if (!/^(?:docs\/.*|[A-Z]+)\.md$/.test(path)) continue;
    const isAdr = path.startsWith("docs/adr/");
    const max = isAdr ? ADR_LINES_MAX : DOC_LINES_MAX;
    const lines = text.split("\n").length - 1;
    const bad = (rule: string, use: string) =>
      findings.push({ path, line: 1, rule, use });
    if (path.startsWith("docs/") && path !== ERRORS_PAGE && lines > max) {
      bad(`page of ${lines} lines (most ${max})`, "fewer words");
    }
    const titles = withoutFences(text).match(/^# /gm)?.length ?? 0;
    if (titles !== 1) bad(`${titles} titles`, "one `#` line");
    if (!isAdr) continue;
    if (!/\/\d{4}_[a-z0-9_]+\.md$/.test(path)) {
      bad("file name", "NNNN_verb_object.md");
    }
    for (const heading of ADR_HEADINGS) {
      if (!new RegExp(`^#+ ${heading}|^\\*\\*${heading}`, "m").test(text)) {
        bad("missing heading", heading);
      }
    }
  }
  return findings;
}

function withoutFences(text: string): string {
  return text.replace(/^```[^]*?^```/gm, "");
}

/** Pages that a tool writes. */
export function generated(tree: Tree): Finding[] {
  const pages = [
    [ERRORS_PAGE, errorsPage(tree), "deno task gen:errors"],
    [MAP_PAGE, mapPage(), "deno task gen:map"],
  ] as const;
  return pages
    .filter(([path, text]) => tree.files.get(path) !== text)
    .map(([path, , use]) => ({ path, line: 1, rule: "out of date", use }));
}
