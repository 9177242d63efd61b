import type { Size } from "../size.ts";
import { demoRows } from "./demo_rows.ts";
import { headRow } from "./head_row.ts";
import { keysNow } from "./keys.ts";
import { ladderRows } from "./ladder_rows.ts";
import { layoutOf } from "./layout.ts";
import { logRows } from "./log_rows.ts";
import { memberRows, memberStrip } from "./member_rows.ts";
import { selectedStep, stepUnderWay, type WizardState } from "./state.ts";

/** What a frame depends on beside the state. */
export interface Canvas {
  readonly size: Size;
  readonly isUnicode: boolean;
}

/**
 * Holds the state to draw: the latest one, but the one before while both make
 * the same frame. Drawing costs more than all calls of a look, and most looks
 * at a cluster on which nothing happens bring nothing new.
 */
export function drawnState(
  latest: () => WizardState,
  canvas: Canvas,
): () => WizardState {
  let known = latest();
  let drawn = known;
  let text = frameText(drawn, canvas);
  return () => {
    const state = latest();
    if (state === known) return drawn;
    known = state;
    const next = frameText(state, canvas);
    if (next !== text) {
      drawn = state;
      text = next;
    }
    return drawn;
  };
}

/** All that a frame shows, whichever of its panes have room. */
function frameText(
  state: WizardState,
  { size, isUnicode }: Canvas,
): string {
  const { columns } = size;
  const { seen, exitCode, log, demo } = state;
  const ladder = {
    selected: selectedStep(state),
    underWay: stepUnderWay(state),
    width: columns,
  };
  const top = seen === null ? [] : [
    ladderRows(seen.plan, ladder),
    memberRows(seen.snapshot),
    memberStrip(seen.snapshot),
  ];
  return JSON.stringify([
    exitCode,
    headRow(state, columns),
    layoutOf({ state, isUnicode }, size),
    top,
    demo === null ? [] : demoRows(demo, columns),
    logRows(log, columns),
    keysNow(state),
  ], (_, value) => typeof value === "bigint" ? String(value) : value);
}
