import type { KeyPress } from "../keys.ts";
import { to, type Transition } from "./event.ts";
import { kekIdOf } from "./kek_id.ts";
import { edited, type In, OVERVIEW, show } from "./show.ts";
import type { WizardState } from "./state.ts";

const ESCROW_DIGITS = 4;

export function onEscrow(
  state: WizardState,
  press: KeyPress,
  view: In<"escrow">,
): Transition {
  if (press.key === "Escape") return to(show(state, OVERVIEW));
  if (press.key !== "Enter") {
    return to(show(state, { ...view, typed: edited(view.typed, press) }));
  }
  if (press.isBurst || view.typed === "") return to(state);
  const id = kekIdOf(state);
  if (id !== null && view.typed.toLowerCase() === id.slice(-ESCROW_DIGITS)) {
    return to({
      ...show(state, OVERVIEW),
      isEscrowProven: true,
      notice: "The copy that is kept elsewhere has the id of the KEK in use.",
    });
  }
  return to({
    ...show(state, { ...view, typed: "" }),
    notice: `"${view.typed}" is not how the id of the KEK in use ends.`,
  });
}
