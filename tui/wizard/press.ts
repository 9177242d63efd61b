import type { KeyPress } from "../keys.ts";
import { to, type Transition, type WizardEvent } from "./event.ts";
import {
  hasCommandsToChoose,
  isSteerable,
  mayAcceptRisks,
  mayProveEscrow,
} from "./keys.ts";
import { choose, onChoose, onSteer } from "./press_choose.ts";
import { onEscrow } from "./press_escrow.ts";
import { onConfirm, onOvertaken, onPlan, openPlan } from "./press_plan.ts";
import type { PlanOf } from "./reduce.ts";
import { isBack, OVERVIEW, show } from "./show.ts";
import {
  isBusy,
  isReadFromEnd,
  PANES,
  selectedStep,
  type WizardState,
} from "./state.ts";

const EXIT_OK = 0;
const EXIT_INTERRUPTED = 130;
const PAGE = 8;

const SCROLLS: ReadonlyMap<string, number> = new Map([
  ["PageDown", PAGE],
  ["PageUp", -PAGE],
]);
/** Where there is nothing to choose the arrows scroll too. */
const LINE_SCROLLS: ReadonlyMap<string, number> = new Map([
  ...SCROLLS,
  ["Down", 1],
  ["Up", -1],
]);
/** What a key does, by what fills the screen. */
export function onPress(
  before: WizardState,
  { press, offsetMax }: WizardEvent & { readonly kind: "press" },
  planOf: PlanOf,
): Transition {
  const isTold = before.notice !== "" || before.announced !== null;
  const state = isTold ? { ...before, notice: "", announced: null } : before;
  const { view } = state;
  if (press.key === "Ctrl-C") return onInterrupt(state);
  const scrolled = onScroll(state, press, offsetMax);
  if (scrolled !== null) return to(scrolled);
  switch (view.kind) {
    case "overview":
      return onOverview(state, press);
    case "plan":
      return onPlan(state, press, view);
    case "confirm":
      return onConfirm(state, press, view);
    case "overtaken":
      return to(onOvertaken(state, press, view));
    case "escrow":
      return onEscrow(state, press, view);
    case "choose":
      return onChoose(state, press, { view, planOf });
    case "log":
      return to(
        isBack(press) || press.text === "l" ? show(state, OVERVIEW) : state,
      );
    case "help":
      return to(isBack(press) ? show(state, OVERVIEW) : state);
    case "leave":
      return to(onLeave(state, press));
  }
}

/** `null` for a key that does not scroll. */
function onScroll(
  state: WizardState,
  { key }: KeyPress,
  offsetMax: number,
): WizardState | null {
  const { kind } = state.view;
  const isChosenFrom = kind === "overview" || kind === "choose";
  const by = (isChosenFrom ? SCROLLS : LINE_SCROLLS).get(key);
  if (by === undefined) return null;
  const down = isReadFromEnd(state) ? -by : by;
  const offset = Math.min(offsetMax, Math.max(0, state.offset + down));
  return { ...state, offset };
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
      return to(show(state, { kind: "help" }));
    case "l":
      return to(show(state, { kind: "log" }));
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
  const panes = PANES.filter((pane) => pane !== "demo" || state.demo !== null);
  const at = panes.indexOf(state.pane) + by;
  const pane = panes[(at + panes.length) % panes.length] ?? "step";
  return { ...state, pane, offset: 0 };
}
