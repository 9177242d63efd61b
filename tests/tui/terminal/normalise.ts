/** What differs from run to run, and what stands for it in stored frames. */
interface Volatile {
  readonly pattern: RegExp;
  readonly stands: string;
  /** How it stands in columns. */
  readonly align: "left" | "right";
}

/** Earlier ones win; none may match what it makes. */
const VOLATILE: readonly Volatile[] = [
  words(/\b127(?:\.\d{1,3}){3}:\d+\b/g, "ADDRESS"),
  words(/\/tmp\/[\w./-]+/g, "PATH"),
  words(
    /\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?/g,
    "TIME",
  ),
  words(/\b\d{2}:\d{2}:\d{2}(?:\.\d+)?\b/g, "TIME"),
  words(/\b(?=[0-9a-f]*\d)[0-9a-f]{8,64}\b/g, "HASH"),
  numbers(/(?<=\bterm:? )\d+/g, "T"),
  numbers(/(?<=\b(?:index|applied|at):? )\d+\b/g, "N"),
  numbers(/\b\d+(?:\.\d+)?(?: ?(?:ms|[smhd]))(?: \d+ [smh])*\b/g, "AGE"),
  numbers(/\b\d+(?:\.\d+)? ?(?:[KMG]i?)?B\/s/g, "RATE"),
  numbers(/\b\d+(?:\.\d+)? ?(?:[KMGT]i?)B\b/g, "SIZE"),
];

/** Columns of numbers, by their heads. */
const COLUMNS = /\b(?:applied|lag)\b/g;

function words(pattern: RegExp, stands: string): Volatile {
  return { pattern, stands, align: "left" };
}

function numbers(pattern: RegExp, stands: string): Volatile {
  return { pattern, stands, align: "right" };
}

/**
 * A screen with all that differs from run to run replaced, and everything else
 * in its place: what stands for a wider or narrower text takes blanks, or the
 * line it is in, from where there are some.
 */
export function normalise(
  screen: string,
  more: readonly Volatile[] = [],
): string {
  const rules = [...more, ...VOLATILE];
  const lines = withoutColumns(screen.trimEnd().split("\n"));
  return `${lines.map((line) => normaliseLine(line, rules)).join("\n")}\n`;
}

/** `#` for each number below a head of COLUMNS, to its right. */
function withoutColumns(lines: readonly string[]): readonly string[] {
  const seen = [...lines];
  lines.forEach((head, at) => {
    for (const { index, 0: { length } } of head.matchAll(COLUMNS)) {
      const end = index + length;
      for (let row = at + 1; row < seen.length; row += 1) {
        const number = /(?<![\w.])\d+$/.exec((seen[row] ?? "").slice(0, end));
        if (number === null) break;
        seen[row] = seen[row]!.slice(0, number.index) +
          "#".padStart(number[0].length) + seen[row]!.slice(end);
      }
    }
  });
  return seen;
}

/** Cells between borders keep their width. */
function normaliseLine(line: string, rules: readonly Volatile[]): string {
  const parts = line.split(/([│║|])/);
  return parts.map((part, at) =>
    at % 2 === 1 ? part : normaliseCell(part, rules, at === parts.length - 1)
  ).join("");
}

function normaliseCell(
  cell: string,
  rules: readonly Volatile[],
  isLast: boolean,
): string {
  let text = cell;
  for (const rule of rules) text = replaceInPlace(text, rule);
  const lacking = cell.length - text.length;
  if (lacking === 0) return text;
  const rule = longestRule(text);
  if (rule !== null) return resized(text, rule, lacking);
  return isLast ? text.trimEnd() : resizedAtEnd(text, lacking);
}

/** Columns stay where they are: blanks beside a match make up for its width. */
function replaceInPlace(
  text: string,
  { pattern, stands, align }: Volatile,
): string {
  let done = "";
  let rest = text;
  for (;;) {
    const whole = done + rest;
    pattern.lastIndex = done.length;
    const match = pattern.exec(whole);
    if (match === null) return whole;
    const [found] = match;
    const before = whole.slice(0, match.index);
    const after = whole.slice(match.index + found.length);
    const lacking = found.length - stands.length;
    if (align === "right" && / {2}$/.test(before)) {
      done = resizedAtEnd(before, lacking) + stands;
      rest = after;
    } else {
      done = before + stands;
      rest = /^ {2}/.test(after) ? resizedAtStart(after, lacking) : after;
    }
  }
}

function resizedAtStart(text: string, by: number): string {
  const blanks = /^ */.exec(text)![0].length;
  return " ".repeat(Math.max(1, blanks + by)) + text.slice(blanks);
}

function resizedAtEnd(text: string, by: number): string {
  const bare = text.trimEnd();
  const blanks = text.length - bare.length;
  return bare + " ".repeat(Math.max(0, blanks + by));
}

/** The longest run of what frames are drawn with; `null` without one. */
function longestRule(text: string): readonly [number, number] | null {
  let longest: readonly [number, number] | null = null;
  for (const match of text.matchAll(/─{3,}|-{3,}|═{3,}|={3,}/g)) {
    const length = match[0].length;
    if (longest === null || length > longest[1]) {
      longest = [match.index, length];
    }
  }
  return longest;
}

function resized(
  text: string,
  [start, length]: readonly [number, number],
  by: number,
): string {
  const drawn = text.charAt(start).repeat(Math.max(1, length + by));
  return text.slice(0, start) + drawn + text.slice(start + length);
}
