/** One function with a body. Offsets into the masked code. */
export interface FunctionSpan {
  readonly name: string;
  /** Where its name, `function` or parameter list starts. */
  readonly start: number;
  /** At `{`, and just after `}`. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

const OPENERS = "([{";
const CLOSERS = ")]}";
const NOT_A_NAME =
  /^(?:if|for|while|switch|catch|with|return|await|typeof|super|new)$/;

/** Functions, methods and arrows with a block body, by masked `code`. */
export function functionsOf(code: string): FunctionSpan[] {
  const pairs = bracketPairs(code);
  return [...namedFunctions(code, pairs), ...arrowFunctions(code, pairs)];
}

function* namedFunctions(
  code: string,
  pairs: ReadonlyMap<number, number>,
): Generator<FunctionSpan> {
  for (const match of code.matchAll(/([#\w$]+)\s*(?:<[^()]*?>)?\(/g)) {
    const name = match[1] as string;
    if (NOT_A_NAME.test(name)) continue;
    const close = pairs.get(match.index + match[0].length - 1);
    if (close === undefined) continue;
    const bodyStart = bodyAfter(code, close + 1, pairs);
    const bodyEnd = bodyStart === null ? undefined : pairs.get(bodyStart);
    if (bodyStart === null || bodyEnd === undefined) continue;
    yield { name, start: match.index, bodyStart, bodyEnd: bodyEnd + 1 };
  }
}

function* arrowFunctions(
  code: string,
  pairs: ReadonlyMap<number, number>,
): Generator<FunctionSpan> {
  for (const match of code.matchAll(/=>\s*\{/g)) {
    const bodyStart = match.index + match[0].length - 1;
    const bodyEnd = pairs.get(bodyStart);
    if (bodyEnd === undefined) continue;
    const name = "arrow function";
    yield { name, start: match.index, bodyStart, bodyEnd: bodyEnd + 1 };
  }
}

/**
 * Offset of the body's `{` after a parameter list that ends before `at`;
 * `null` when there is none (a call, an overload, an abstract method).
 */
function bodyAfter(
  code: string,
  at: number,
  pairs: ReadonlyMap<number, number>,
): number | null {
  let next = skipBlanks(code, at);
  if (code[next] === "{") return next;
  if (code[next] !== ":") return null;
  let expectsType = true;
  for (next += 1; next < code.length; next += 1) {
    const char = code[next] as string;
    if (/\s/.test(char)) continue;
    if (char === "{" && !expectsType) return next;
    if (OPENERS.includes(char)) {
      const close = pairs.get(next);
      if (close === undefined) return null;
      next = close;
      expectsType = false;
    } else if (char === ";" || CLOSERS.includes(char)) return null;
    else if (char === "=" && code[next + 1] !== ">") return null;
    else if (/[\w$]/.test(char)) {
      const word = /[\w$]+/y;
      word.lastIndex = next;
      const text = word.exec(code)?.[0] ?? char;
      next += text.length - 1;
      expectsType = /^(?:is|extends|keyof|readonly|asserts)$/.test(text);
    } else expectsType = "|&<,?:".includes(char) || code[next - 1] === "=";
  }
  return null;
}

function skipBlanks(code: string, at: number): number {
  while (at < code.length && /\s/.test(code[at] as string)) at += 1;
  return at;
}

/** Opening bracket → closing bracket. */
export function bracketPairs(code: string): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < code.length; at += 1) {
    const char = code[at] as string;
    if (OPENERS.includes(char)) open.push(at);
    else if (CLOSERS.includes(char)) {
      const start = open.pop();
      if (start !== undefined) pairs.set(start, at);
    }
  }
  return pairs;
}
