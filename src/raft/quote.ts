const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const SHORT: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

/**
 * Quotes `bytes` for a line of text: printable UTF-8 as it is, the rest as
 * escapes, like Go's `%q`.
 */
export function quoteBytes(bytes: Uint8Array): string {
  let text = '"';
  let at = 0;
  while (at < bytes.length) {
    const char = charAt(bytes, at);
    if (char === null) {
      text += hexEscape(bytes[at] ?? 0);
      at += 1;
      continue;
    }
    text += escapeChar(char);
    at += utf8Length(bytes[at] ?? 0);
  }
  return `${text}"`;
}

function escapeChar(char: string): string {
  const short = SHORT.get(char);
  if (short !== undefined) return short;
  if (char === " " || !UNPRINTABLE.test(char)) return char;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return hexEscape(code);
  return code < 0x10000
    ? `\\u${code.toString(16).padStart(4, "0")}`
    : `\\U${code.toString(16).padStart(8, "0")}`;
}

function charAt(bytes: Uint8Array, at: number): string | null {
  const length = utf8Length(bytes[at] ?? 0);
  if (at + length > bytes.length) return null;
  try {
    return decoder.decode(bytes.subarray(at, at + length));
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function utf8Length(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
