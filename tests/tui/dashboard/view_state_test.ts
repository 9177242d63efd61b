import assert from "node:assert/strict";
import {
  type DashboardKey,
  pressed,
  type RowIds,
  selectedRow,
  VIEW_AT_FIRST,
  type ViewState,
} from "../../../tui/dashboard/view_state.ts";

const ROWS: RowIds = {
  members: ["n1", "n2", "n3"],
  traffic: ["", "n1", "n2", "n3"],
  keys: [],
  events: ["90", "40"],
};

function after(
  keys: readonly DashboardKey[],
  rows: RowIds = ROWS,
  from: ViewState = VIEW_AT_FIRST,
): ViewState {
  return keys.reduce(
    (state, key) => pressed(state, { key, rows, skippedMax: 2 }),
    from,
  );
}

const PANE_CASES: readonly (readonly [DashboardKey[], string])[] = [
  [[], "members"],
  [["tab"], "traffic"],
  [["right"], "traffic"],
  [["left", "left"], "keys"],
  [["tab", "tab", "tab"], "events"],
  [["tab", "tab", "tab", "tab"], "members"],
  [["backtab"], "events"],
  [["enter", "tab"], "members"],
];

for (const [keys, pane] of PANE_CASES) {
  Deno.test(`pressed() goes from pane to pane: ${keys.join(" ")}`, () => {
    assert.equal(after(keys).pane, pane);
  });
}

const VIEW_CASES: readonly (readonly [DashboardKey[], string])[] = [
  [["enter"], "details"],
  [["enter", "enter"], "details"],
  [["enter", "back"], "panes"],
  [["tab", "enter"], "panes"],
  [["tab", "tab", "enter"], "panes"],
  [["issues"], "issues"],
  [["issues", "issues"], "panes"],
  [["issues", "back"], "panes"],
  [["help"], "help"],
  [["help", "help"], "panes"],
  [["help", "down", "tab", "right"], "help"],
  [["enter", "help", "back"], "panes"],
];

for (const [keys, view] of VIEW_CASES) {
  Deno.test(`pressed() opens and closes: ${keys.join(" ")}`, () => {
    assert.equal(after(keys).view, view);
  });
}

const ROW_CASES: readonly (readonly [DashboardKey[], number])[] = [
  [[], 0],
  [["up"], 0],
  [["down"], 1],
  [["down", "down", "down", "down"], 2],
  [["last"], 2],
  [["last", "up"], 1],
  [["last", "first"], 0],
  [["tab", "tab", "down"], -1],
];

for (const [keys, row] of ROW_CASES) {
  Deno.test(`pressed() moves in a pane: ${keys.join(" ")}`, () => {
    assert.equal(selectedRow(after(keys), ROWS), row);
  });
}

Deno.test("selectedRow() stays with what it is, not where it is", () => {
  const state = after(["down"]);
  const fewer = { ...ROWS, members: ["n0", "n1", "n1a", "n2"] };
  assert.equal(selectedRow(state, fewer), 3);
  // What is gone makes place for the first.
  assert.equal(selectedRow(state, { ...ROWS, members: ["n3"] }), 0);
});

Deno.test("pressed() follows the newest event, but for its details", () => {
  const more = { ...ROWS, events: ["95", "90", "40"] };
  const onEvents = after(["backtab"]);
  assert.equal(selectedRow(onEvents, more), 0);
  const opened = after(["backtab", "enter"]);
  assert.equal(selectedRow(opened, more), 1);
  assert.equal(selectedRow(after(["right"], more, opened), more), 2);
  assert.equal(selectedRow(after(["left", "left"], more, opened), more), 0);
  assert.equal(selectedRow(after(["tab"], more, opened), more), 1);
});

Deno.test("pressed() scrolls lines to the last ones at most", () => {
  const skipped = (...keys: DashboardKey[]) =>
    after(["issues", ...keys]).skipped;
  assert.equal(skipped("up"), 0);
  assert.equal(skipped("down", "down", "down"), 2);
  assert.equal(skipped("last", "issues", "issues"), 0);
  assert.equal(after(["enter", "down"]).skipped, 1);
  assert.equal(after(["enter", "down", "right"]).skipped, 0);
  assert.equal(after(["enter", "down", "back", "enter"]).skipped, 0);
});

Deno.test("pressed() ends with 0, and with 130 when interrupted", () => {
  assert.equal(after(["issues", "quit"]).exitCode, 0);
  assert.equal(after(["enter", "interrupt"]).exitCode, 130);
});
