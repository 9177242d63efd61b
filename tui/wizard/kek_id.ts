import type { WizardState } from "./state.ts";

/** Of the KEK that new wraps use, as the first member with one says. */
export function kekIdOf({ seen }: WizardState): string | null {
  for (const { encryption } of seen?.snapshot.members ?? []) {
    const id = encryption?.own.kekIds[0];
    if (id !== undefined) return id;
  }
  return null;
}
