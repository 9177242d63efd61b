import { createContext, useContext } from "react";

/** What the terminal can show besides plain letters. */
export interface Look {
  /** Lines and blocks of Unicode; else `+-|#`. */
  readonly isUnicode: boolean;
}

export const LookContext = createContext<Look>({ isUnicode: false });

export function useLook(): Look {
  return useContext(LookContext);
}

/** As the variables of the locale say; the first that is set counts. */
export function lookOf(env: (name: string) => string | undefined): Look {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"]
    .map(env)
    .find((value) => value !== undefined && value !== "");
  return { isUnicode: /utf-?8/i.test(locale ?? "") };
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
