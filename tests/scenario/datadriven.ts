/** One command of a transcript and what it has to print. */
export interface Directive {
  /** Where the command stands, from 1. */
  readonly line: number;
  readonly command: string;
  readonly args: readonly Arg[];
  /** What stands between the command and `----`, trimmed. */
  readonly input: string;
  readonly expected: string;
}

/** `key`, `key=value`, `key=` (one empty value) or `key=(a, b)`. */
export interface Arg {
  readonly key: string;
  readonly values: readonly string[];
}

/** A place where a transcript and the program differ. */
export interface Mismatch {
  readonly directive: Directive;
  readonly actual: string;
}

const SEPARATOR = "----";

/** Splits a transcript into its directives. */
export function parseTranscript(text: string): readonly Directive[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    let command = (lines[at] ?? "").trim();
    const line = at + 1;
    at += 1;
    if (command === "" || command.startsWith("#")) continue;
    while (command.endsWith("\\") && at < lines.length) {
      command = `${command.slice(0, -1).trim()} ${(lines[at] ?? "").trim()}`;
      at += 1;
    }
    const inputFrom = at;
    while (at < lines.length && lines[at] !== SEPARATOR) at += 1;
    if (at === lines.length) throw new Error(`line ${line}: no ${SEPARATOR}`);
    const input = lines.slice(inputFrom, at).join("\n").trim();
    const output = readExpected(lines, at + 1);
    at = output.next;
    const [name, ...args] = parseArgs(command, line);
    if (name === undefined) throw new Error(`line ${line}: no command`);
    directives.push({
      line,
      command: name.key,
      args,
      input,
      expected: output.expected,
    });
  }
  return directives;
}

/** Runs every directive through `handle`; returns where the output differs. */
export function runTranscript(
  text: string,
  handle: (directive: Directive) => string,
): readonly Mismatch[] {
  const mismatches: Mismatch[] = [];
  for (const directive of parseTranscript(text)) {
    let actual = handle(directive);
    if (actual !== "" && !actual.endsWith("\n")) actual += "\n";
    if (actual !== directive.expected) mismatches.push({ directive, actual });
  }
  return mismatches;
}

/** Shows a mismatch: both texts and the first line that differs. */
export function describeMismatch(path: string, mismatch: Mismatch): string {
  const { directive, actual } = mismatch;
  const expectedLines = directive.expected.split("\n");
  const actualLines = actual.split("\n");
  const at = expectedLines.findIndex((line, nth) => line !== actualLines[nth]);
  return `${path}:${directive.line}: ${directive.command}: output line ` +
    `${at + 1}\n  expected: ${expectedLines[at]}\n  actual:   ` +
    `${actualLines[at]}\n--- whole output\n${actual}`;
}

/** Values of the argument `key`; `null` when it is absent. */
export function argValues(
  directive: Directive,
  key: string,
): readonly string[] | null {
  return directive.args.find((arg) => arg.key === key)?.values ?? null;
}

/** The value of `key`, or `otherwise` when it is absent. */
export function argValue(
  directive: Directive,
  key: string,
  otherwise: string,
): string {
  return argValues(directive, key)?.[0] ?? otherwise;
}

/** Arguments without a `=`, as numbers. */
export function numericArgs(directive: Directive): readonly number[] {
  return directive.args
    .filter((arg) => arg.values.length === 0)
    .map((arg) => Number.parseInt(arg.key, 10));
}

function readExpected(
  lines: readonly string[],
  from: number,
): { readonly expected: string; readonly next: number } {
  let at = from;
  const output: string[] = [];
  if (lines[at] === SEPARATOR) {
    at += 1;
    while (!(lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR)) {
      if (at >= lines.length) throw new Error("unclosed blank-line output");
      output.push(lines[at] ?? "");
      at += 1;
    }
    at += 2;
  } else {
    while (at < lines.length && (lines[at] ?? "").trim() !== "") {
      output.push(lines[at] ?? "");
      at += 1;
    }
  }
  return { expected: output.map((line) => `${line}\n`).join(""), next: at };
}

function parseArgs(text: string, line: number): Arg[] {
  const args: Arg[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const key = /^[^\s=]+/.exec(rest)?.[0];
    if (key === undefined) throw new Error(`line ${line}: bad argument`);
    rest = rest.slice(key.length);
    if (!rest.startsWith("=")) {
      args.push({ key, values: [] });
    } else if (rest.startsWith("=(")) {
      const until = closingParenthesis(rest, line);
      args.push({ key, values: splitTopLevel(rest.slice(2, until)) });
      rest = rest.slice(until + 1);
    } else {
      const value = /^=(\S*)/.exec(rest)?.[1] ?? "";
      args.push({ key, values: [value] });
      rest = rest.slice(1 + value.length);
    }
    rest = rest.trimStart();
  }
  return args;
}

function closingParenthesis(text: string, line: number): number {
  let depth = 0;
  for (let i = 1; i < text.length; i += 1) {
    if (text[i] === "(") depth += 1;
    if (text[i] === ")") depth -= 1;
    if (depth === 0) return i;
  }
  throw new Error(`line ${line}: unclosed parenthesis`);
}

function splitTopLevel(text: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === "(") depth += 1;
    if (text[i] === ")") depth -= 1;
    if (text[i] === "," && depth === 0) {
      values.push(text.slice(from, i).trimEnd());
      from = i + 1;
      while (text[from] === " ") from += 1;
    }
  }
  values.push(text.slice(from));
  return values.length === 1 && values[0] === "" ? [] : values;
}
