import type { TextLine } from "../parts/line.tsx";
import type { Size } from "../size.ts";
import { eventsPane } from "./events_pane.ts";
import { keysPane } from "./keys_pane.ts";
import { layoutOf } from "./layout.ts";
import { membersPane } from "./members_pane.ts";
import type { Seen } from "./seen.ts";
import { trafficPane } from "./traffic_pane.ts";
import {
  type PaneId,
  PANES,
  type RowIds,
  selectedRow,
  type ViewState,
} from "./view_state.ts";
import { workOf } from "./work.ts";

const TITLES: Readonly<Record<PaneId, string>> = {
  members: "Members",
  traffic: "Traffic",
  keys: "Keys",
  events: "Events",
};

export interface PanesOptions {
  readonly seen: Seen;
  readonly size: Size;
  readonly state: ViewState;
  readonly rows: RowIds;
  readonly intervalMs: number;
  readonly isUnicode: boolean;
}

/** All panes where they find room, else the one that takes the keys. */
export function panesLines(options: PanesOptions): readonly TextLine[] {
  const { seen, size, state, rows } = options;
  const layout = layoutOf(size, {
    members: rows.members.length,
    keys: rows.keys.length + workOf(seen).length,
  });
  if (layout.kind === "one") {
    const { height } = layout;
    return [
      tabsText(state.pane),
      ...paneOf(options, { pane: state.pane, height }),
    ];
  }
  return PANES.flatMap((pane) =>
    paneOf(options, { pane, height: layout.heights[pane] })
  );
}

function paneOf(
  { seen, size, state, rows, intervalMs, isUnicode }: PanesOptions,
  { pane, height }: { readonly pane: PaneId; readonly height: number },
): readonly TextLine[] {
  const isFocused = state.pane === pane;
  const chosen = isFocused ? selectedRow(state, rows) : -1;
  const width = size.columns;
  const given = { seen, width, height, isFocused, chosen, isUnicode };
  switch (pane) {
    case "members":
      return membersPane(given);
    case "traffic": {
      const at = selectedRow({ ...state, pane }, rows);
      const member = rows.traffic[at] ?? "";
      return trafficPane({ ...given, member, intervalMs });
    }
    case "keys":
      return keysPane(given);
    case "events":
      return eventsPane(given);
  }
}

/** Which panes there are, where only one is seen. */
function tabsText(pane: PaneId): string {
  const names = PANES.map((one) =>
    one === pane ? `[${TITLES[one]}]` : ` ${TITLES[one]} `
  );
  return names.join("  ");
}
