/*
 * Goal: what the pages point at is there.
 * Method: look up every link, its heading too, and every path in backticks.
 */
import { deepEqual, ok } from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { readTree } from "../../../tools/tidy/read_tree.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const pages = [...readTree().files]
  .filter(([path]) => path.endsWith(".md"))
  .map(([path, text]) => ({ path, text }));

Deno.test("every link of a page leads to a file, and to a heading of it", () => {
  const links = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => ({ path, target }))
      .filter(({ target }) => !/^[a-z]+:/.test(target))
  );
  ok(links.length > 50, `only ${links.length}: the pattern is stale`);
  deepEqual(links.filter(({ path, target }) => !leadsOn(path, target)), []);
});

Deno.test("every path that a page names is there", () => {
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:tests|src|tools|docs|bench)\/[\w./*-]+)`/g)]
      .map(([, target = ""]) => ({ path, target }))
  );
  ok(named.length > 50, `only ${named.length}: the pattern is stale`);
  deepEqual(named.filter(({ target }) => !isThere(target)), []);
});

function leadsOn(from: string, target: string): boolean {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from : join(dirname(from), file);
  if (!isThere(path)) return false;
  if (anchor === undefined) return true;
  const text = pages.find((page) => page.path === path)?.text ?? "";
  return anchorsOf(text).has(anchor);
}

/** As GitHub makes them of headings, and those that a page sets by itself. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-")
  );
  const set = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id);
  return new Set([...headings, ...set]);
}

/** A file, a folder, or the first files of a pattern. */
function isThere(path: string): boolean {
  const [start = "", pattern] = path.split("*");
  try {
    if (pattern === undefined) return Deno.statSync(ROOT + path) !== null;
    const folder = start.slice(0, start.lastIndexOf("/") + 1);
    return [...Deno.readDirSync(ROOT + folder)]
      .some(({ name }) => (folder + name).startsWith(start));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
