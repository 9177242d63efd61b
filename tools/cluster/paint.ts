/** Colours of names, cyan first. */
const NAMES = [36, 35, 33, 32, 34, 31, 96, 95, 93] as const;
const LEVELS: readonly (readonly [level: RegExp, colour: number])[] = [
  [/(?<=^\S+ )WARN\b/, 33],
  [/(?<=^\S+ )ERROR\b|^error\[[A-Z_]+\]/, 31],
  [/^ready\b/, 32],
];

/** How text looks: plain where nobody wants colour. */
export interface Painter {
  name(name: string, index: number): string;
  /** A line of a node's output. */
  line(line: string): string;
  strong(text: string): string;
}

export function painter(isColoured = wantsColour()): Painter {
  const paint = (colour: number, text: string) =>
    isColoured ? `\x1b[${colour}m${text}\x1b[0m` : text;
  return {
    name: (name, index) => paint(NAMES[index % NAMES.length] ?? 0, `${name} |`),
    line: (line) =>
      LEVELS.reduce(
        (text, [level, colour]) =>
          text.replace(level, (word) => paint(colour, word)),
        line,
      ),
    strong: (text) => paint(1, text),
  };
}

function wantsColour(): boolean {
  return Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR") &&
    Deno.env.get("TERM") !== "dumb";
}
