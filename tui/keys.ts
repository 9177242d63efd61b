import type { Key } from "ink";

/** One key, as it was pressed. */
export interface KeyPress {
  /**
   * The character typed, or "Enter", "Tab", "Shift-Tab", "Escape", "Backspace",
   * "Delete", "Up", "Down", "Left", "Right", "PageUp", "PageDown", "Home",
   * "End", "Ctrl-C" and its like.
   */
  readonly key: string;
  /** The character typed; "" for every other key. */
  readonly text: string;
  /** Others came in the same read: it may be pasted, or the line is slow. */
  readonly isBurst: boolean;
}

const NAMED = [
  ["upArrow", "Up"],
  ["downArrow", "Down"],
  ["leftArrow", "Left"],
  ["rightArrow", "Right"],
  ["pageUp", "PageUp"],
  ["pageDown", "PageDown"],
  ["home", "Home"],
  ["end", "End"],
  ["return", "Enter"],
  ["escape", "Escape"],
  ["backspace", "Backspace"],
  ["delete", "Delete"],
] as const;

/**
 * A terminal sends Escape before what is pressed with Alt. No screen has keys
 * with Alt, so it was Escape, and another key at once. Others have sequences of
 * their own.
 */
const ESCAPABLE: ReadonlySet<string> = new Set([
  "Enter",
  "Tab",
  "Escape",
  "Backspace",
]);

/** What ink gives for one event, as keys: several may come as one text. */
export function pressesOf(input: string, key: Key): readonly KeyPress[] {
  const name = NAMED.find(([field]) => key[field])?.[1] ??
    (key.tab ? (key.shift ? "Shift-Tab" : "Tab") : null);
  if (key.meta && (name === null || ESCAPABLE.has(name))) {
    const after = pressesOf(input, { ...key, meta: false });
    return [held("Escape"), ...after].map((one) => ({ ...one, isBurst: true }));
  }
  if (name !== null) return [held(name)];
  if (key.ctrl) return [held(`Ctrl-${input.toUpperCase()}`)];
  const characters = [...input];
  const isBurst = characters.length > 1;
  return characters.map((character) => ({ ...pressOf(character), isBurst }));
}

function held(key: string): KeyPress {
  return { key, text: "", isBurst: false };
}

function pressOf(character: string): KeyPress {
  const code = character.charCodeAt(0);
  if (character === "\r" || character === "\n") return held("Enter");
  if (character === "\t") return held("Tab");
  if (character === "\x1b") return held("Escape");
  if (code === 0x7f || code === 0x08) return held("Backspace");
  if (code < 0x20) return held(`Ctrl-${String.fromCharCode(code + 0x40)}`);
  return { key: character, text: character, isBurst: false };
}
