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
  numbers(/(?<![\w.])\d{6,10}(?![\w.])/g, "KEY"),
  words(/\b(?=[0-9a-f]*\d)[0-9a-f]{8,64}\b/g, "HASH"),
  // The end of a KEK's id, beside whether its member is ready.
  words(/(?<=\b(?:yes|NO) {4})[0-9a-f]{4}\b/g, "KEKI"),
  words(/(?<![\w@])\w*@[\w.-]+/g, "WHO"),
  numbers(/(?<=\bterm:? )\d+/g, "T"),
  words(/(?<=\b(?:index|applied|at|entry|elections):? +)\d+\b/g, "N"),
  words(/\b\d+(?= syncs\b)/g, "N"),
  numbers(/\b\d+(?:\.\d+)?(?: ?(?:ms|min|[smhd]))(?: \d+ [smh])*\b/g, "AGE"),
  numbers(/(?<![\w.])\d+(?:\.\d+)?(?:k| ?(?:[KMG]i?)?B)?\/s(?!\w)/g, "RATE"),
  numbers(/\b\d+(?= % free\b)/g, "P"),
  numbers(/(?<= free .*, )\d+(?= %)/g, "P"),
  numbers(/\b\d+(?:\.\d+)? ?(?:[KMGT]i?)B\b/g, "SIZE"),
];

/** In a demo who leads is not chosen, and neither is what files are called. */
const VOLATILE_OF_DEMO: readonly Volatile[] = [
  words(/(?<=\bleader )n\d\b/g, "NAME"),
  words(/\b(?:leader|follower)(?= +(?:yes|NO)\b)/g, "ROLE"),
  words(/(?<=\bcanary-)[0-9a-f]{8}\b/g, "HASH"),
  words(/\b\d+(?= writes\b)/g, "N"),
  // A busy machine is slow, and that is one more warning.
  words(/(?<=\bnothing blocks it, )\d+ warnings?/g, "N warnings"),
  words(/\b\d+(?= below\b)/g, "N"),
  numbers(/(?<=\bnot found in )\d+(?= files)/g, "N"),
  words(/(?<=\bin )\d+ of \d+ files: .*/g, "N of N files"),
];

/** One that is full all along looks like a bar, and stays. */
const SPARKLINE = /█*[▁-▇][▁-█]*/g;

/** Columns of numbers, by their heads. */
const COLUMNS = /(?<![\w/])(?:applied|lag|req\/s)(?!\w)/g;

function words(pattern: RegExp, stands: string): Volatile {
  return { pattern, stands, align: "left" };
}

function numbers(pattern: RegExp, stands: string): Volatile {
  return { pattern, stands, align: "right" };
}

/** A screen as the stored frame of this name has it. */
export function frameOf(name: string, screen: string): string {
  return normalise(screen, name.startsWith("demo/") ? VOLATILE_OF_DEMO : []);
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
  const plain = screen.replaceAll(SPARKLINE, (line) => " ".repeat(line.length));
  const lines = withoutColumns(plain.trimEnd().split("\n"));
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
    const hasNext = after === "" || /^ {2,}\S/.test(after);
    if (align === "right" && hasNext && / {2}$/.test(before)) {
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
