/**
 * How the pages say what is to be run:
 *
 *     ```sh             runs to its end and succeeds
 *     ```sh background  stays; `ready {…}` on its output starts the next block
 *     ```sh stopped     the same as `sh`, once all that stays has been stopped
 *     ```sh tests       is how the tests are run, and not run by them
 *
 * Any other fence is for reading only. Blocks of one page share a directory.
 */
export interface DocBlock {
  readonly kind: "command" | "background" | "stopped" | "tests";
  readonly script: string;
  /** 1-based, of the fence. */
  readonly line: number;
}

const KINDS: ReadonlyMap<string, DocBlock["kind"]> = new Map([
  ["sh", "command"],
  ["sh background", "background"],
  ["sh stopped", "stopped"],
  ["sh tests", "tests"],
]);

/** Blocks of `page` in order. @throws When a shell fence has no known kind. */
export function docBlocks(page: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  for (const match of page.matchAll(/^```(.+)\n([^]*?)^```$/gm)) {
    const info = (match[1] ?? "").trim();
    const kind = KINDS.get(info);
    if (kind !== undefined) {
      const line = page.slice(0, match.index).split("\n").length;
      blocks.push({ kind, script: match[2] ?? "", line });
    } else if (/^(?:sh|bash|shell|console)\b/.test(info)) {
      throw new TypeError(`no kind of block: "${info}"`);
    }
  }
  return blocks;
}
