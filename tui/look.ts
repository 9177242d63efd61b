import { createContext, useContext } from "react";

/** What the terminal can show besides plain letters. */
export interface Look {
  /** Lines and blocks of Unicode; else `+-|#`. */
  readonly isUnicode: boolean;
  /** It takes codes for colours and weights. */
  readonly isColored: boolean;
}

export const LookContext = createContext<Look>({
  isUnicode: false,
  isColored: false,
});

export function useLook(): Look {
  return useContext(LookContext);
}

/**
 * As the variables of the locale say, the first that is set; colours as
 * whoever prepared the screen told ink.
 */
export function lookOf(env: (name: string) => string | undefined): Look {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"]
    .map(env)
    .find((value) => value !== undefined && value !== "");
  return {
    isUnicode: /utf-?8/i.test(locale ?? ""),
    isColored: (env("FORCE_COLOR") ?? "0") !== "0",
  };
}

/** What a text means; its colour only repeats what it says. */
export type Tone =
  | "plain"
  | "strong"
  | "dim"
  | "good"
  | "warn"
  | "bad"
  /** Under the cursor. */
  | "chosen";

/** What begins a tone, and what ends it. */
const CODES: Readonly<Record<Tone, readonly [string, string]>> = {
  plain: ["", ""],
  strong: ["\x1b[1m", "\x1b[22m"],
  dim: ["\x1b[2m", "\x1b[22m"],
  good: ["\x1b[32m", "\x1b[39m"],
  warn: ["\x1b[33m", "\x1b[39m"],
  bad: ["\x1b[1m\x1b[31m", "\x1b[39m\x1b[22m"],
  chosen: ["\x1b[7m", "\x1b[27m"],
};

/** `text` with its tone, for what is not drawn by ink's `Text`. */
export function toned(text: string, tone: Tone): string {
  const [start, end] = CODES[tone];
  return `${start}${text}${end}`;
}

/** Properties of ink's `Text`. */
export function toneProps(tone: Tone) {
  switch (tone) {
    case "plain":
      return {};
    case "strong":
      return { bold: true };
    case "dim":
      return { dimColor: true };
    case "good":
      return { color: "green" };
    case "warn":
      return { color: "yellow" };
    case "bad":
      return { color: "red", bold: true };
    case "chosen":
      return { inverse: true };
  }
}
