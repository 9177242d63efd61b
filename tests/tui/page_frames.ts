import { frameOf } from "./terminal/normalise.ts";

/**
 * A screen that a page shows:
 *
 *     ```text frame NAME             all of tests/tui/frames/NAME.txt
 *     ```text frame NAME head        what is above its panes
 *     ```text frame NAME pane TITLE  its pane with TITLE, and those beside it
 *
 * Pages have screens as they were seen, with the times and ids of that day;
 * stored frames have words in their places.
 */
export interface PageFrame {
  readonly name: string;
  /** What comes after the name; "" for all of it. */
  readonly part: string;
  readonly text: string;
  /** 1-based, of the fence. */
  readonly line: number;
}

/** Words of stored frames. */
const STANDS = /\b(?:AGE|HASH|KEKI|KEY|N|RATE|SIZE|T|TIME|WHO)\b/;
const FENCE = /^```text frame (\S+)(?: (head|pane .+))?\n([^]*?)^```$/gm;

/** Screens that `page` shows, in order. */
export function pageFrames(page: string): readonly PageFrame[] {
  return [...page.matchAll(FENCE)].map((match) => {
    const [, name = "", part = "", text = ""] = match;
    const line = page.slice(0, match.index).split("\n").length;
    return { name, part, text, line };
  });
}

/** What a page shows of a screen. @throws When it has no such pane. */
export function partOf(screen: string, part: string): string {
  if (part === "") return screen;
  const lines = screen.split("\n");
  if (part === "head") {
    // Formatters of pages take away what all lines are indented by.
    const head = lines.slice(0, lines.findIndex(isTop));
    return textOf(head.map((line) => line.trimStart()));
  }
  const title = part.slice("pane ".length);
  const from = lines.findIndex((line) => isTop(line) && line.includes(title));
  const end = lines.findIndex((line, at) => at > from && isBottom(line));
  if (from < 0 || end < 0) throw new TypeError(`no pane "${title}"`);
  return textOf(lines.slice(from, end + 1));
}

/**
 * `page` with what was seen of a screen. What it shows already stays, unless
 * more than times and ids has changed, or words stand in their places.
 */
export function withScreen(page: string, name: string, screen: string): string {
  return replaced(page, name, (old, part) => {
    const seen = partOf(screen, part);
    const words = frameOf(name, seen);
    if (frameOf(name, old) !== words) return seen;
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
  return replaced(page, name, (old, part) => {
    const known = new Map(
      old.split("\n").map((line, at) => {
        return [frameOf(name, old).split("\n")[at], line];
      }),
    );
    const lines = partOf(frame, part).split("\n");
    return lines.map((line) => known.get(line) ?? line).join("\n");
  });
}

function replaced(
  page: string,
  name: string,
  text: (old: string, part: string) => string,
): string {
  return page.replaceAll(FENCE, (block, of, part = "", old = "") => {
    if (of !== name) return block;
    return block.slice(0, block.indexOf("\n") + 1) + text(old, part) + "```";
  });
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function isTop(line: string): boolean {
  return line.startsWith("┌");
}

function isBottom(line: string): boolean {
  return line.startsWith("└");
}
