const BLANK = /[ \t]/;

/**
 * Splits a command into its words, without a shell; `null` when it is none.
 *
 *     blanks     separate words
 *     'text'     text as it is
 *     "text"     text, where \" is " and \\ is \
 *     \c         the character c, outside of quotes
 *
 * Nothing is expanded: no variables, no `~`, no `*`, no pipes. Quoted and bare
 * parts that touch are one word, so '' is an empty one. A quote without its
 * end, a `\` at the end, a line break and a NUL make it no command.
 */
export function commandWords(text: string): readonly string[] | null {
  if (/[\0\r\n]/.test(text)) return null;
  const words: string[] = [];
  let word: string | null = null;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (BLANK.test(char)) {
      if (word !== null) words.push(word);
      word = null;
      at += 1;
      continue;
    }
    const part = nextPart(text, at);
    if (part === null) return null;
    word = (word ?? "") + part.text;
    at = part.end;
  }
  if (word !== null) words.push(word);
  return words.length === 0 || words[0] === "" ? null : words;
}

interface Part {
  readonly text: string;
  /** Offset after it. */
  readonly end: number;
}

function nextPart(text: string, at: number): Part | null {
  switch (text.charAt(at)) {
    case "'": {
      const end = text.indexOf("'", at + 1);
      return end < 0 ? null : { text: text.slice(at + 1, end), end: end + 1 };
    }
    case '"':
      return doubleQuoted(text, at + 1);
    case "\\":
      return at + 1 === text.length
        ? null
        : { text: text.charAt(at + 1), end: at + 2 };
    default:
      return { text: text.charAt(at), end: at + 1 };
  }
}

function doubleQuoted(text: string, from: number): Part | null {
  let inside = "";
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') return { text: inside, end: at + 1 };
    const next = text.charAt(at + 1);
    if (char === "\\" && (next === '"' || next === "\\")) {
      inside += next;
      at += 1;
    } else {
      inside += char;
    }
  }
  return null;
}
