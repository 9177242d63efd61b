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
  /** Issues above the screen. */
  readonly skipped: number;
  /** How it ended; `null` while it goes on. */
  readonly exitCode: 0 | 130 | null;
}

/** Ids of the rows that are there now, top first. */
export type RowIds = Readonly<Record<PaneId, readonly string[]>>;

export type DashboardKey =
  | "tab"
  | "backtab"
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
  readonly issueCount: number;
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
      return { ...state, view: state.view === "help" ? "panes" : "help" };
    case "issues": {
      const view = state.view === "issues" ? "panes" : "issues";
      return { ...state, view, skipped: 0 };
    }
    case "back":
      return { ...state, view: "panes" };
    case "enter":
      return entered(state, press.rows);
    case "tab":
      return turned(state, 1);
    case "backtab":
      return turned(state, -1);
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
    selected: { ...selected, [pane]: id },
  };
}

function turned(state: ViewState, step: 1 | -1): ViewState {
  if (state.view !== "panes") return state;
  const next = PANES.indexOf(state.pane) + step + PANES.length;
  return { ...state, pane: PANES[next % PANES.length] ?? state.pane };
}

type Move = "up" | "down" | "first" | "last";

/** In the details of a row this goes to those of the next one. */
function moved(state: ViewState, move: Move, press: KeyPress): ViewState {
  const { rows, issueCount } = press;
  if (state.view === "help") return state;
  if (state.view === "issues") {
    const skipped = moveIn(issueCount, state.skipped, move);
    return { ...state, skipped };
  }
  const ids = rows[state.pane];
  const to = moveIn(ids.length, selectedRow(state, rows), move);
  // The first row is followed, whichever it becomes.
  const id = to === 0 ? "" : ids[to] ?? "";
  return { ...state, selected: { ...state.selected, [state.pane]: id } };
}

function moveIn(count: number, from: number, move: Move): number {
  const last = Math.max(0, count - 1);
  switch (move) {
    case "up":
      return Math.max(0, from - 1);
    case "down":
      return Math.min(last, from + 1);
    case "first":
      return 0;
    case "last":
      return last;
  }
}
