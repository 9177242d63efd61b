import type { KeyPress } from "../keys.ts";
import type { View, WizardState } from "./state.ts";

export const OVERVIEW: View = { kind: "overview" };
/** Longer than any cluster's name. */
const TYPED_MAX = 255;

/** One of the views. */
export type In<Kind extends View["kind"]> = View & { readonly kind: Kind };

export function show(state: WizardState, view: View): WizardState {
  const isOther = view.kind !== state.view.kind;
  return { ...state, view, ...isOther ? { offset: 0 } : {} };
}

export function isBack({ key, text }: KeyPress): boolean {
  return key === "Escape" || text === "q" || text === "?";
}

export function edited(typed: string, { key, text }: KeyPress): string {
  if (key === "Backspace") return [...typed].slice(0, -1).join("");
  return (typed + text).slice(0, TYPED_MAX);
}
