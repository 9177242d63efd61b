import { memo, useCallback, useEffect, useReducer, useRef } from "react";
import type { KeyPress } from "../keys.ts";
import { useLook } from "../look.ts";
import { DrawnLines } from "../parts/drawn_lines.tsx";
import { keySpans } from "../parts/key_line.tsx";
import { isTooSmall, useSize } from "../size.ts";
import { useKeys } from "../use_keys.ts";
import { eventRows } from "./event_rows.ts";
import { headSpans } from "./head_line.ts";
import { issuesOf } from "./issues.ts";
import { BINDINGS, dashboardKey } from "./key_bindings.ts";
import { keyRows } from "./key_rows.ts";
import { EDGE_ROWS } from "./layout.ts";
import { panesLines } from "./panes.ts";
import type { Seen } from "./seen.ts";
import { textPane } from "./text_pane.ts";
import { textViewOf } from "./text_view.ts";
import { pressed, type RowIds, VIEW_AT_FIRST } from "./view_state.ts";

export interface DashboardProps {
  readonly seen: Seen;
  /** Between two looks. */
  readonly intervalMs: number;
  onEnd(exitCode: 0 | 130): void;
}

/** A cluster on one screen, to be looked at and nothing else. */
export function Dashboard({ seen, intervalMs, onEnd }: DashboardProps) {
  const size = useSize();
  const { isUnicode } = useLook();
  const [state, press] = useReducer(pressed, VIEW_AT_FIRST);
  const { view, exitCode } = state;
  useEffect(() => {
    if (exitCode !== null) onEnd(exitCode);
  }, [exitCode, onEnd]);
  const shown = shownOf(seen);
  const { rows, issues } = shown;
  const { columns: width, rows: height } = size;
  const room = height - EDGE_ROWS;
  const text = view === "panes"
    ? null
    : textViewOf({ ...shown, view, seen, state, width: width - 4 });
  // What it showed may have become shorter, or the terminal larger.
  const skippedMax = Math.max(0, (text?.lines.length ?? 0) - (room - 2));
  const latest = useRef({ rows, skippedMax });
  useEffect(() => {
    latest.current = { rows, skippedMax };
  });
  const onPress = useCallback((one: KeyPress) => {
    const key = dashboardKey(one);
    if (key !== null) press({ key, ...latest.current });
  }, []);
  const keys = <Keys onPress={onPress} />;
  if (isTooSmall(size)) return keys;
  const skipped = Math.min(state.skipped, skippedMax);
  const lines = [
    headSpans({ seen, issues, width }),
    ...text === null
      ? panesLines({ seen, size, state, rows, intervalMs, isUnicode })
      : textPane({ ...text, skipped, width, height: room, isUnicode }),
    keySpans({ bindings: BINDINGS[view], width }),
  ];
  return (
    <>
      {keys}
      <DrawnLines lines={lines} width={width} />
    </>
  );
}

/** Takes the keys. What takes keys makes ink draw whenever React renders it. */
const Keys = memo(({ onPress }: { onPress(press: KeyPress): void }) => {
  useKeys(onPress);
  return null;
});

/** All rows of all panes. */
function shownOf(seen: Seen) {
  const issues = issuesOf(seen);
  const keys = keyRows({
    nowMs: seen.nowMs,
    encryption: seen.encryption,
    vitals: seen.history.last,
  });
  const events = eventRows(seen.events, seen.nowMs);
  const names = seen.status.members.map(({ name }) => name);
  const rows: RowIds = {
    members: names,
    traffic: ["", ...names],
    keys: keys.map(({ id }) => id),
    events: events.map(({ id }) => id),
  };
  return { issues, keys, events, rows };
}
