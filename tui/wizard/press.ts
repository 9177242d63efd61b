import type { RolloutStep, StepId } from "../../src/rollout/step.ts";
import type { PlanOf } from "./reduce.ts";
import { besideRate, type Choice, choicesOf, jobOf } from "./choices.ts";
import { kekIdOf } from "./kek_id.ts";
import type { KeyPress } from "../keys.ts";
import { to, type Transition } from "./event.ts";
import {
  hasCommandsToChoose,
  isSteerable,
  mayAcceptRisks,
  mayProveEscrow,
  startable,
} from "./keys.ts";
import {
  type ChoiceKind,
  isBusy,
  mayAct,
  PANES,
  type Run,
  selectedStep,
  type View,
  type WizardState,
} from "./state.ts";

const OVERVIEW: View = { kind: "overview" };
const EXIT_OK = 0;
const EXIT_INTERRUPTED = 130;
const PAGE = 8;
/** Longer than any cluster's name. */
const TYPED_MAX = 255;
const ESCROW_DIGITS = 4;

/** Rows up. */
const SCROLLS: ReadonlyMap<string, number> = new Map([
  ["Up", 1],
  ["Down", -1],
  ["PageUp", PAGE],
  ["PageDown", -PAGE],
]);

type In<Kind extends View["kind"]> = View & { readonly kind: Kind };

/** What a key does, by what fills the screen. */
export function onPress(
  before: WizardState,
  press: KeyPress,
  planOf: PlanOf,
): Transition {
  const state = before.notice === "" ? before : { ...before, notice: "" };
  const { view } = state;
  if (press.key === "Ctrl-C") return onInterrupt(state);
  switch (view.kind) {
    case "overview":
      return onOverview(state, press);
    case "plan":
      return onPlan(state, press, view);
    case "confirm":
      return onConfirm(state, press, view);
    case "escrow":
      return onEscrow(state, press, view);
    case "choose":
      return onChoose(state, press, { view, planOf });
    case "log":
      return onLog(state, press, view);
    case "help":
      return onHelp(state, press, view);
    case "leave":
      return to(onLeave(state, press));
  }
}

function onInterrupt(state: WizardState): Transition {
  return to(
    isBusy(state) && state.view.kind !== "leave"
      ? show(state, { kind: "leave" })
      : { ...state, exitCode: EXIT_INTERRUPTED },
  );
}

function onLeave(
  state: WizardState,
  { key, text, isBurst }: KeyPress,
): WizardState {
  if (key === "Escape" || text === "n") return show(state, OVERVIEW);
  const isMeant = key === "Enter" || text === "q" || text === "y";
  return isMeant && !isBurst ? { ...state, exitCode: EXIT_OK } : state;
}

function onOverview(state: WizardState, press: KeyPress): Transition {
  if (press.key === "Enter") return to(openPlan(state));
  const moved = onMove(state, press);
  if (moved !== null) return to(moved);
  switch (press.text) {
    case "q":
      return to(
        isBusy(state)
          ? show(state, { kind: "leave" })
          : { ...state, exitCode: EXIT_OK },
      );
    case "?":
      return to(show(state, { kind: "help", offset: 0 }));
    case "l":
      return to(show(state, { kind: "log", offset: 0 }));
    case "a":
      return to({ ...state, showsAll: !state.showsAll, offset: 0 });
    case "i":
      return to({ ...state, issuesOnly: !state.issuesOnly, offset: 0 });
    case "e":
      return to(
        mayProveEscrow(state)
          ? show(state, { kind: "escrow", typed: "" })
          : state,
      );
    case "c":
      return to(hasCommandsToChoose(state) ? choose(state, "commands") : state);
    case "r":
      return to(mayAcceptRisks(state) ? choose(state, "risks") : state);
    default:
      return isSteerable(state) ? onSteer(state, press.text) : to(state);
  }
}

function onMove(state: WizardState, { key }: KeyPress): WizardState | null {
  switch (key) {
    case "Up":
      return moveStep(state, -1);
    case "Down":
      return moveStep(state, 1);
    case "Tab":
      return movePane(state, 1);
    case "Shift-Tab":
      return movePane(state, -1);
    case "PageDown":
      return { ...state, offset: state.offset + PAGE };
    case "PageUp":
      return { ...state, offset: Math.max(0, state.offset - PAGE) };
    case "Escape":
      return { ...state, selected: null, only: null, offset: 0 };
    default:
      return null;
  }
}

function moveStep(state: WizardState, by: 1 | -1): WizardState {
  const steps = state.seen?.plan.steps ?? [];
  const at = steps.findIndex(({ id }) => id === selectedStep(state)?.id);
  const next = steps[at + by];
  return next === undefined
    ? state
    : { ...state, selected: next.id, only: null, offset: 0 };
}

function movePane(state: WizardState, by: 1 | -1): WizardState {
  const panes = PANES.filter((pane) => pane !== "demo" || state.hasDemo);
  const at = panes.indexOf(state.pane) + by;
  const pane = panes[(at + panes.length) % panes.length] ?? "step";
  return { ...state, pane, offset: 0 };
}

function openPlan(state: WizardState): WizardState {
  const step = startable(state);
  if (step !== null) return show(state, { kind: "plan", step: step.id });
  return { ...state, notice: whyNotStartable(state) };
}

function whyNotStartable(state: WizardState): string {
  const step = selectedStep(state);
  if (step === null) return "";
  if (state.isReadOnly) return "This screen only looks (--read-only).";
  if (!mayAct(state)) return "Not while nobody answers.";
  if (step.state === "done") return `Done already: ${step.detail}`;
  if (step.state === "running") return `It runs: ${step.detail}`;
  if (step.id === "capability") {
    return "Each member is started with its KEK where it runs; this screen sees it.";
  }
  return step.state === "blocked" ? `Blocked: ${step.detail}` : "";
}

function onSteer(state: WizardState, text: string): Transition {
  switch (text) {
    case "d":
      return to(choose(state, "dwell"));
    case "t":
      return to(choose(state, "rate"));
    case "+":
    case "=":
      return take(state, besideRate(state, 1));
    case "-":
      return take(state, besideRate(state, -1));
    case "p": {
      const job = jobOf(state);
      return job === null ? to(state) : to(state, {
        kind: "steer",
        command: job.isPaused
          ? { kind: "resume-rewrite", bytesPerSecond: null, isFollowed: false }
          : { kind: "pause-rewrite" },
      });
    }
    default:
      return to(state);
  }
}

function take(state: WizardState, choice: Choice | null): Transition {
  if (choice === null) return to(state);
  const { choices, command, label, only } = choice;
  const next = { ...state, choices, only };
  return command === null
    ? to({ ...next, notice: `Chosen: ${label}.` })
    : to(next, { kind: "steer", command });
}

function onChoose(
  state: WizardState,
  press: KeyPress,
  { view, planOf }: { readonly view: In<"choose">; readonly planOf: PlanOf },
): Transition {
  const { what, at } = view;
  const step = selectedStep(state);
  if (step === null || isBack(press)) return to(show(state, OVERVIEW));
  const all = choicesOf(state, what, step.id);
  if (press.key === "Up" || press.key === "Down") {
    const moved = at + (press.key === "Up" ? -1 : 1);
    const bounded = Math.min(all.length - 1, Math.max(0, moved));
    return to(show(state, { ...view, at: bounded }));
  }
  const isTaken = press.key === "Enter" || press.text === " ";
  if (!isTaken || press.isBurst || !mayAct(state)) return to(state);
  const taken = take(state, all[at] ?? null);
  const after = what === "risks"
    ? taken.state
    : { ...taken.state, view: OVERVIEW };
  return { ...taken, state: replanned(after, planOf) };
}

/** Choices are part of the plan: it shows them at once. */
function replanned(state: WizardState, planOf: PlanOf): WizardState {
  const { seen, choices } = state;
  if (seen === null) return state;
  return { ...state, seen: { ...seen, plan: planOf(seen.snapshot, choices) } };
}

function onPlan(
  state: WizardState,
  press: KeyPress,
  { step: id }: In<"plan">,
): Transition {
  if (isBack(press)) return to(show(state, OVERVIEW));
  if (press.text === "r" && mayAcceptRisks(state)) {
    return to({ ...choose(state, "risks"), selected: id });
  }
  if (press.key !== "Enter" || press.isBurst) return to(state);
  const step = startable(state);
  if (step === null) return to({ ...state, notice: whyNotStartable(state) });
  const hash = plannedHash(state, step);
  if (hash === null) {
    return to({ ...state, notice: "Wait for what the leader says to it." });
  }
  return step.isOneWay
    ? to(show(state, { kind: "confirm", step: id, typed: "", planHash: hash }))
    : start(state, id, hash);
}

/**
 * Of what the leader said it would do; "" when that is more than one command,
 * `null` before it said so.
 */
export function plannedHash(
  { seen }: WizardState,
  { id, commands }: RolloutStep,
): string | null {
  const rehearsal = seen?.snapshot.rehearsal ?? null;
  if (commands.length !== 1) return "";
  if (rehearsal === null || rehearsal.step !== id) return null;
  return rehearsal.outcome?.plan.hash ?? null;
}

function onConfirm(
  state: WizardState,
  press: KeyPress,
  view: In<"confirm">,
): Transition {
  const { step, typed, planHash } = view;
  if (press.key === "Escape") return to(show(state, { kind: "plan", step }));
  if (press.key !== "Enter") {
    return to(show(state, { ...view, typed: edited(typed, press) }));
  }
  // What is pasted may fill the box, but starts nothing.
  if (press.isBurst || typed === "") return to(state);
  const name = state.seen?.plan.cluster ?? "";
  if (typed !== name) {
    return to({
      ...show(state, { ...view, typed: "" }),
      notice: `"${typed}" is not the name of this cluster. Nothing was done.`,
    });
  }
  return startable(state) === null
    ? to({ ...state, notice: whyNotStartable(state) })
    : start(state, step, planHash);
}

function start(
  state: WizardState,
  step: StepId,
  planHash: string,
): Transition {
  const run: Run = {
    step,
    startedMs: state.seen?.snapshot.atMs ?? 0,
    endedMs: null,
    command: "",
    progress: null,
    outcomes: [],
    isOthers: false,
    error: null,
  };
  const runs = [...state.runs, run];
  return to(
    { ...show(state, OVERVIEW), selected: step, runs },
    { kind: "run", step, planHash, only: state.only },
  );
}

function onEscrow(
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

function onLog(
  state: WizardState,
  press: KeyPress,
  view: In<"log">,
): Transition {
  if (isBack(press) || press.text === "l") return to(show(state, OVERVIEW));
  const moved = SCROLLS.get(press.key) ?? 0;
  const most = Math.max(0, state.log.length - 1);
  const offset = Math.min(most, Math.max(0, view.offset + moved));
  return to(show(state, { ...view, offset }));
}

function onHelp(state: WizardState, press: KeyPress, view: In<"help">) {
  if (isBack(press)) return to(show(state, OVERVIEW));
  const moved = SCROLLS.get(press.key) ?? 0;
  const offset = Math.max(0, view.offset - moved);
  return to(show(state, { ...view, offset }));
}

function edited(typed: string, { key, text }: KeyPress): string {
  if (key === "Backspace") return [...typed].slice(0, -1).join("");
  return (typed + text).slice(0, TYPED_MAX);
}

function isBack({ key, text }: KeyPress): boolean {
  return key === "Escape" || text === "q" || text === "?";
}

function choose(state: WizardState, what: ChoiceKind): WizardState {
  return show(state, { kind: "choose", what, at: 0 });
}

function show(state: WizardState, view: View): WizardState {
  return { ...state, view };
}
