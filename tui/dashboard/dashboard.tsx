import { Box } from "ink";
import { useEffect, useReducer } from "react";
import { KeyLine } from "../parts/key_line.tsx";
import { Line } from "../parts/line.tsx";
import { isTooSmall, useSize } from "../size.ts";
import { useKeys } from "../use_keys.ts";
import { eventRows } from "./event_rows.ts";
import { headSpans } from "./head_line.ts";
import { issuesOf } from "./issues.ts";
import { BINDINGS, dashboardKey } from "./key_bindings.ts";
import { keyRows } from "./key_rows.ts";
import { EDGE_ROWS } from "./layout.ts";
import { Panes } from "./panes.tsx";
import type { Seen } from "./seen.ts";
import { TextPane } from "./text_pane.tsx";
import { textViewOf } from "./text_view.ts";
import {
  pressed,
  type RowIds,
  selectedRow,
  VIEW_AT_FIRST,
} from "./view_state.ts";

export interface DashboardProps {
  readonly seen: Seen;
  /** Between two looks. */
  readonly intervalMs: number;
  onEnd(exitCode: 0 | 130): void;
}

/** A cluster on one screen, to be looked at and nothing else. */
export function Dashboard({ seen, intervalMs, onEnd }: DashboardProps) {
  const size = useSize();
  const [state, press] = useReducer(pressed, VIEW_AT_FIRST);
  const { view, pane, exitCode } = state;
  useEffect(() => {
    if (exitCode !== null) onEnd(exitCode);
  }, [exitCode, onEnd]);
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
  const { columns: width, rows: height } = size;
  const room = height - EDGE_ROWS;
  const chosen = selectedRow(state, rows);
  const text = view === "panes" ? null : textViewOf({
    view,
    seen,
    issues,
    keys,
    events,
    pane,
    id: rows[pane][chosen] ?? "",
    width: width - 4,
  });
  // What it showed may have become shorter, or the terminal larger.
  const skippedMax = Math.max(0, (text?.lines.length ?? 0) - (room - 2));
  useKeys((one) => {
    const key = dashboardKey(one);
    if (key !== null) press({ key, rows, skippedMax });
  });
  if (isTooSmall(size)) return null;
  return (
    <Box flexDirection="column" flexShrink={0} width={width} height={height}>
      <Line
        width={width}
        spans={headSpans({ seen, issues, width })}
      />
      {text === null
        ? (
          <Panes
            seen={seen}
            size={size}
            state={state}
            rows={rows}
            intervalMs={intervalMs}
          />
        )
        : (
          <TextPane
            {...text}
            skipped={Math.min(state.skipped, skippedMax)}
            width={width}
            height={room}
          />
        )}
      <KeyLine bindings={BINDINGS[view]} width={width} />
    </Box>
  );
}
