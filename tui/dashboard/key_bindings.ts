import type { KeyBinding } from "../key_table.ts";
import type { KeyPress as ScreenPress } from "../keys.ts";
import type { DashboardKey, View } from "./view_state.ts";

const HELP = {
  keys: "?",
  brief: "help",
  does: "Show this help, and leave it again.",
};
const LEAVE = {
  keys: "q",
  brief: "leave",
  does: "Leave the dashboard. Nothing on the cluster stops or changes.",
};
const SCROLL = {
  keys: "Up/Dn",
  brief: "scroll",
  does: "Read on, where not everything fits.",
};
const ISSUES = {
  keys: "i",
  brief: "issues",
  does: "Show only what is wrong, and what to do about it.",
};
const ENTER = {
  keys: "Enter",
  brief: "details",
  does: "Show all that is known of a member, a key or an event.",
};
const TAB = {
  keys: "Tab",
  brief: "pane",
  does: "Go to the next pane; Shift-Tab to the one before.",
};
const MOVE = {
  keys: "Up/Dn",
  brief: "move",
  does: "Choose a row; in the traffic pane, whose traffic is shown.",
};
const OTHER = {
  keys: "Left/Right",
  brief: "other",
  does: "Go to the pane beside; in details, to those of the next row.",
};
const BACK = { keys: "Esc", brief: "back", does: "Go back to the panes." };

/** Keys that do something in a view; footers show them in this order. */
export const BINDINGS: Readonly<Record<View, readonly KeyBinding[]>> = {
  panes: [TAB, ENTER, ISSUES, MOVE, HELP, LEAVE],
  details: [BACK, OTHER, SCROLL, HELP, LEAVE],
  issues: [BACK, SCROLL, HELP, LEAVE],
  help: [BACK, SCROLL, LEAVE],
};

/** All of them, for the help. */
export const ALL_BINDINGS: readonly KeyBinding[] = [
  TAB,
  MOVE,
  OTHER,
  ENTER,
  BACK,
  ISSUES,
  {
    keys: "Home/End",
    brief: "",
    does: "Go to the first and the last row or line.",
  },
  HELP,
  { keys: "Ctrl-Z", brief: "", does: "Stop; `fg` goes on." },
  LEAVE,
];

/** What columns mean, for the help. */
export const HELP_NOTES: readonly string[] = [
  "lag: entries of the log that a member has yet to get. sealed: envelopes " +
  "that running members have made under a key since they began. writers: " +
  "nodes that may have sealed with it.",
  "p50 and p99: half of the requests, and 99 of 100, got their reply within " +
  "that time. Watches are left out. log: what members write and sync before " +
  "they acknowledge.",
];

const KEYS: ReadonlyMap<string, DashboardKey> = new Map([
  ["Tab", "tab"],
  ["Shift-Tab", "backtab"],
  ["Left", "left"],
  ["h", "left"],
  ["Right", "right"],
  ["l", "right"],
  ["Up", "up"],
  ["k", "up"],
  ["Down", "down"],
  ["j", "down"],
  ["Home", "first"],
  ["g", "first"],
  ["End", "last"],
  ["G", "last"],
  ["Enter", "enter"],
  ["Escape", "back"],
  ["i", "issues"],
  ["?", "help"],
  ["q", "quit"],
  ["Ctrl-C", "interrupt"],
]);

/** `null` for a key that does nothing. */
export function dashboardKey({ key }: ScreenPress): DashboardKey | null {
  return KEYS.get(key) ?? null;
}
