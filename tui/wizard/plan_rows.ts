import type { RolloutStep } from "../../src/rollout/step.ts";
import { risksOf } from "./choices.ts";
import { startable } from "./keys.ts";
import { markOf } from "./ladder_rows.ts";
import { isWorthAsking } from "./look_wish.ts";
import { BLANK, hanging, type Row, row } from "./paragraph.ts";
import { plannedHash } from "./planned.ts";
import type { Seen, WizardState } from "./state.ts";
import { aboutRows, commandRows } from "./step_pane.ts";

/** What a step would do, as the leader says now, and what it costs. */
export function planRows(
  state: WizardState,
  { step, seen }: { readonly step: RolloutStep; readonly seen: Seen },
  width: number,
): readonly Row[] {
  return [
    ...standingRows(seen, step, width),
    BLANK,
    ...aboutRows(step, width),
    ...riskRows(state, step, width),
    BLANK,
    ...commandRows(state, step, width),
  ];
}

/** What the leader would do; else why it cannot be asked for that. */
function standingRows(
  seen: Seen,
  step: RolloutStep,
  width: number,
): readonly Row[] {
  const { state, detail } = step;
  if (isWorthAsking(step)) return rehearsalRows(seen, step, width);
  return hanging([{
    text: `${state.toUpperCase()}: `,
    tone: markOf(state).tone,
  }], { text: detail, width });
}

function rehearsalRows(
  { snapshot: { rehearsal } }: Seen,
  { id, commands }: RolloutStep,
  width: number,
): readonly Row[] {
  const isOfThis = rehearsal?.step === id &&
    commands.includes(rehearsal.command);
  if (!isOfThis) {
    return [row("The leader is asked what it would do ...", "dim")];
  }
  const { outcome, refusal } = rehearsal;
  if (refusal !== null) {
    return [
      ...hanging([{ text: "The leader refuses: ", tone: "bad" }], {
        text: refusal.message,
        width,
      }),
      ...hanging([{ text: "fix: ", tone: "dim" }], {
        text: refusal.remedy,
        width,
      }),
    ];
  }
  const { hash = "", steps = [] } = outcome?.plan ?? {};
  const about = commands.length > 1 ? `, for \`${rehearsal.command}\`` : "";
  return [
    ...hanging([], {
      text: `The leader would${about}:`,
      tone: "strong",
      width,
    }),
    ...steps.flatMap((text, at) =>
      hanging([{ text: `  ${at + 1} ` }], { text, width })
    ),
    ...hash === ""
      ? []
      : [row(`  Plan ${hash}, while members, keys and term stay.`, "dim")],
  ];
}

function riskRows(
  { choices: { accept } }: WizardState,
  { id }: RolloutStep,
  width: number,
): readonly Row[] {
  const accepted = risksOf(id).filter((risk) => accept.includes(risk));
  if (accepted.length === 0) return [];
  return hanging([{ text: "Accepted risks: ", tone: "warn" }], {
    text: accepted.join(", "),
    width,
  });
}

/** Pinned below the plan: what the next key does. */
export function planPrompt(
  state: WizardState,
  step: RolloutStep,
): readonly Row[] {
  const { view } = state;
  if (view.kind === "confirm") {
    return [
      startable(state) === null
        ? row("It cannot be started as things are. Esc goes back.", "warn")
        : row(
          `Type the cluster's name${whichName(state)}, then Enter:`,
          "strong",
        ),
      [{ text: "> " }, { text: view.typed, tone: "strong" }, { text: "_" }],
    ];
  }
  // Before the leader has said what it would do, and when it refuses.
  if (startable(state) === null || plannedHash(state, step) === null) {
    return [row("Esc goes back.", "strong")];
  }
  return [
    row(
      step.isOneWay
        ? "Enter goes on to the confirmation, Esc goes back."
        : "Enter starts it, Esc goes back.",
      "strong",
    ),
  ];
}

/** Nothing is at stake in a demo; elsewhere it is read off what is changed. */
function whichName({ demo, seen }: WizardState): string {
  return demo === null ? " (top left)" : `, ${seen?.plan.cluster ?? ""}`;
}
