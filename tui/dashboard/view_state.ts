/** In the order in which Tab visits them. */
export const PANES = ["members", "traffic", "keys", "events"] as const;

export type PaneId = typeof PANES[number];

/** What fills the screen: all panes, or one thing instead of them. */
export type View = "panes" | "details" | "issues" | "help";

export interface ViewState {
  readonly view: View;
  readonly pane: PaneId;
  /** Ids of the rows that are selected; "" for the first one. */
  readonly selected: Readonly<Record<PaneId, string>>;
  /** Lines above the screen, of what fills it instead of the panes. */
  readonly skipped: number;
  /** How it ended; `null` while it goes on. */
  readonly exitCode: 0 | 130 | null;
}

/** Ids of the rows that are there now, top first. */
export type RowIds = Readonly<Record<PaneId, readonly string[]>>;

export type DashboardKey =
  | "tab"
  | "backtab"
  | "left"
  | "right"
  | "up"
  | "down"
  | "first"
  | "last"
  | "enter"
  | "back"
  | "issues"
  | "help"
  | "quit"
  | "interrupt";

/** What a key does to the view. */
export interface KeyPress {
  readonly key: DashboardKey;
  readonly rows: RowIds;
  /** Most lines that can be above the screen. */
  readonly skippedMax: number;
}

export const VIEW_AT_FIRST: ViewState = {
  view: "panes",
  pane: "members",
  selected: { members: "", traffic: "", keys: "", events: "" },
  skipped: 0,
  exitCode: null,
};

export function pressed(state: ViewState, press: KeyPress): ViewState {
  switch (press.key) {
    case "interrupt":
      return { ...state, exitCode: 130 };
    case "quit":
      return { ...state, exitCode: 0 };
    case "help":
    case "issues": {
      const view = state.view === press.key ? "panes" : press.key;
      return { ...state, view, skipped: 0 };
    }
    case "back":
      return { ...state, view: "panes" };
    case "enter":
      return entered(state, press.rows);
    case "tab":
    case "right":
      return turned(state, press, 1);
    case "backtab":
    case "left":
      return turned(state, press, -1);
    default:
      return moved(state, press.key, press);
  }
}

/** The row that stands out; -1 when there is none. */
export function selectedRow(
  { pane, selected }: ViewState,
  rows: RowIds,
): number {
  const ids = rows[pane];
  // One that is gone makes place for the first.
  return ids.length === 0 ? -1 : Math.max(0, ids.indexOf(selected[pane]));
}

/** Of the traffic there is no more to tell than its pane does. */
function entered(state: ViewState, rows: RowIds): ViewState {
  const { view, pane, selected } = state;
  const id = rows[pane][selectedRow(state, rows)];
  if (view !== "panes" || pane === "traffic" || id === undefined) return state;
  // These details stay, whichever row becomes the first meanwhile.
  return {
    ...state,
    view: "details",
    skipped: 0,
    selected: { ...selected, [pane]: id },
  };
}

/** To the pane beside this one; in the details of a row to the next one. */
function turned(
  state: ViewState,
  { key, rows }: KeyPress,
  step: 1 | -1,
): ViewState {
  const { view, pane } = state;
  if (view === "panes") {
    const next = PANES.indexOf(pane) + step + PANES.length;
    return { ...state, pane: PANES[next % PANES.length] ?? pane };
  }
  if (view !== "details" || key === "tab" || key === "backtab") return state;
  const ids = rows[pane];
  const to = moveIn(ids.length, selectedRow(state, rows), step);
  const selected = { ...state.selected, [pane]: ids[to] ?? "" };
  return { ...state, selected, skipped: 0 };
}

type Move = "up" | "down" | "first" | "last";

function moved(
  state: ViewState,
  move: Move,
  { rows, skippedMax }: KeyPress,
): ViewState {
  const { view, pane, selected } = state;
  if (view !== "panes") {
    const skipped = moveBy(skippedMax + 1, state.skipped, move);
    return { ...state, skipped };
  }
  const ids = rows[pane];
  const to = moveBy(ids.length, selectedRow(state, rows), move);
  // The first row is followed, whichever it becomes.
  const id = to === 0 ? "" : ids[to] ?? "";
  return { ...state, selected: { ...selected, [pane]: id } };
}

function moveBy(count: number, from: number, move: Move): number {
  if (move === "first") return 0;
  if (move === "last") return Math.max(0, count - 1);
  return moveIn(count, from, move === "up" ? -1 : 1);
}

function moveIn(count: number, from: number, step: 1 | -1): number {
  return Math.max(0, Math.min(count - 1, from + step));
}
