import { choicesOf } from "./choices.ts";
import { BLANK, paragraph, type Row, row } from "./paragraph.ts";
import {
  activeRun,
  isBusy,
  selectedStep,
  type View,
  type WizardState,
} from "./state.ts";

const TITLES = {
  dwell: "How long to dwell",
  rate: "How fast to rewrite",
  risks: "Risks to accept",
  commands: "Which of them",
} as const;

const WORDS = {
  dwell:
    "A dwell holds back the one-way steps after the rewrite, so that what goes wrong shows before. It can be ended at any time.",
  rate:
    "At most so many bytes of values a second, on each member. Writes come first at any rate.",
  risks:
    "Each is written to the history with the step that was taken with it. Enter accepts, or takes it back.",
  commands: "Enter takes one of them, or all.",
} as const;

export type Dialog = View & {
  readonly kind: "overtaken" | "choose" | "escrow" | "leave";
};

export function dialogTitle(dialog: Dialog): string {
  switch (dialog.kind) {
    case "overtaken":
      return "Overtaken";
    case "choose":
      return TITLES[dialog.what];
    case "escrow":
      return "Escrow check";
    case "leave":
      return "Leave?";
  }
}

export function dialogRows(
  state: WizardState,
  dialog: Dialog,
  width: number,
): readonly Row[] {
  switch (dialog.kind) {
    case "overtaken":
      return [
        ...paragraph({ text: dialog.text, width }),
        ...paragraph({ text: "Nothing was started from here.", width }),
        BLANK,
        row("Esc shows what is there now.", "strong"),
      ];
    case "choose": {
      const step = selectedStep(state);
      const all = step === null ? [] : choicesOf(state, dialog.what, step.id);
      return [
        ...paragraph({ text: WORDS[dialog.what], width }),
        BLANK,
        ...all.map(({ label, isChosen }, at): Row => [
          { text: at === dialog.at ? "> " : "  ", tone: "strong" },
          { text: isChosen ? "[x] " : "[ ] ", tone: isChosen ? "good" : "dim" },
          { text: label, tone: at === dialog.at ? "strong" : "plain" },
        ]),
      ];
    }
    case "escrow":
      return escrow(dialog.typed, width);
    case "leave":
      return leave(state, width);
  }
}

function escrow(typed: string, width: number): readonly Row[] {
  return [
    ...paragraph({
      text:
        "Without its KEK a cluster that seals is lost. Take the copy of the KEK that is kept elsewhere, not a file of a member, and see what `sealkv kek id FILE` says of it.",
      width,
    }),
    BLANK,
    row("Type the last 4 characters of its id, Esc to go back:", "strong"),
    [{ text: "> " }, { text: typed, tone: "strong" }, { text: "_" }],
  ];
}

function leave(state: WizardState, width: number): readonly Row[] {
  if (!isBusy(state)) {
    return [row("Nothing is under way any more.")];
  }
  const run = activeRun(state);
  const step = run === null
    ? state.seen?.plan.steps.find(({ state }) => state === "running")
    : state.seen?.plan.steps.find(({ id }) => id === run.step);
  const name = step === undefined ? "What runs" : `"${step.title}"`;
  const later = run !== null && step !== undefined && step.commands.length > 1
    ? " Its commands after the one that runs are not given."
    : "";
  const text = state.demo === null
    ? `${name} goes on without this screen.${later} ` +
      "`sealkv rollout` comes back to it, here or elsewhere."
    : `${name} is not done yet. ${state.demo.ending}`;
  return paragraph({ text, width });
}
