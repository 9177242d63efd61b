import { normalise } from "./terminal/normalise.ts";

/**
 * A screen that a page shows:
 *
 *     ```text frame NAME             all of tests/tui/frames/NAME.txt
 *     ```text frame NAME pane TITLE  its pane with TITLE, and those beside it
 *
 * Pages have screens as they were seen, with the times and ids of that day;
 * stored frames have words in their places.
 */
export interface PageFrame {
  readonly name: string;
  readonly pane: string | null;
  readonly text: string;
  /** 1-based, of the fence. */
  readonly line: number;
}

/** Words of stored frames. */
const STANDS = /\b(?:AGE|HASH|KEKI|KEY|N|RATE|SIZE|T|TIME|WHO)\b/;
const FENCE = /^```text frame (\S+)(?: pane (.+))?\n([^]*?)^```$/gm;

/** Screens that `page` shows, in order. */
export function pageFrames(page: string): readonly PageFrame[] {
  return [...page.matchAll(FENCE)].map((match) => {
    const [, name = "", pane = null, text = ""] = match;
    const line = page.slice(0, match.index).split("\n").length;
    return { name, pane, text, line };
  });
}

/** What a page shows of a screen. @throws When no pane has that title. */
export function partOf(screen: string, pane: string | null): string {
  if (pane === null) return screen;
  const lines = screen.split("\n");
  const from = lines.findIndex((line) => isTop(line) && line.includes(pane));
  const end = lines.findIndex((line, at) => at > from && isBottom(line));
  if (from < 0 || end < 0) throw new TypeError(`no pane "${pane}"`);
  return `${lines.slice(from, end + 1).join("\n")}\n`;
}

/**
 * `page` with what was seen of a screen. What it shows already stays, unless
 * more than times and ids has changed, or words stand in their places.
 */
export function withScreen(page: string, name: string, screen: string): string {
  return replaced(page, name, (old, pane) => {
    const seen = partOf(screen, pane);
    const words = normalise(seen);
    if (normalise(old) !== words) return seen;
    return hasWords(old, words) && !hasWords(seen, words) ? seen : old;
  });
}

/** True when a line has words where the screen had times and ids. */
function hasWords(text: string, words: string): boolean {
  const lines = text.split("\n");
  return words.split("\n").some((line, at) => {
    return line === lines[at] && STANDS.test(line);
  });
}

/**
 * `page` with a stored frame: lines that have changed get its words in the
 * place of times and ids, until the screen is seen again.
 */
export function withStored(page: string, name: string, frame: string): string {
  return replaced(page, name, (old, pane) => {
    const known = new Map(
      old.split("\n").map((line, at) => {
        return [normalise(old).split("\n")[at], line];
      }),
    );
    const lines = partOf(frame, pane).split("\n");
    return lines.map((line) => known.get(line) ?? line).join("\n");
  });
}

function replaced(
  page: string,
  name: string,
  text: (old: string, pane: string | null) => string,
): string {
  return page.replaceAll(FENCE, (block, of, pane = null, old = "") => {
    if (of !== name) return block;
    return block.slice(0, block.indexOf("\n") + 1) + text(old, pane) + "```";
  });
}

function isTop(line: string): boolean {
  return line.startsWith("┌");
}

function isBottom(line: string): boolean {
  return line.startsWith("└");
}
