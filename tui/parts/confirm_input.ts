import type { KeyPress } from "../keys.ts";

/** What has been typed to confirm something. */
export interface ConfirmInput {
  readonly typed: string;
  /** What was typed and entered last, when it was wrong; else "". */
  readonly wrong: string;
}

export type ConfirmStep =
  | { readonly kind: "typing"; readonly input: ConfirmInput }
  | { readonly kind: "confirmed" }
  | { readonly kind: "cancelled" };

export const NOTHING_TYPED: ConfirmInput = { typed: "", wrong: "" };

const TYPED_MAX = 128;

/**
 * What one key does. Only an Enter that was pressed by itself confirms: one
 * that came with other keys may be the end of a pasted line.
 */
export function confirmStep(
  input: ConfirmInput,
  { key, text, isBurst }: KeyPress,
  word: string,
): ConfirmStep {
  const { typed } = input;
  if (key === "Escape") return { kind: "cancelled" };
  if (key === "Enter") {
    if (isBurst || typed === "") return { kind: "typing", input };
    if (typed === word) return { kind: "confirmed" };
    return { kind: "typing", input: { typed: "", wrong: typed } };
  }
  if (key === "Backspace") {
    const rest = [...typed].slice(0, -1).join("");
    return { kind: "typing", input: { ...input, typed: rest } };
  }
  if (key === "Ctrl-U") {
    return { kind: "typing", input: { ...input, typed: "" } };
  }
  if (text === "" || typed.length >= TYPED_MAX) {
    return { kind: "typing", input };
  }
  return { kind: "typing", input: { ...input, typed: typed + text } };
}
