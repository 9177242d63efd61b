import { Line } from "../parts/line.tsx";
import type { Size } from "../size.ts";
import { EventsPane } from "./events_pane.tsx";
import { KeysPane } from "./keys_pane.tsx";
import { layoutOf } from "./layout.ts";
import { MembersPane } from "./members_pane.tsx";
import type { Seen } from "./seen.ts";
import { TrafficPane } from "./traffic_pane.tsx";
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

export interface PanesProps {
  readonly seen: Seen;
  readonly size: Size;
  readonly state: ViewState;
  readonly rows: RowIds;
  readonly intervalMs: number;
}

/** All panes where they find room, else the one that takes the keys. */
export function Panes(props: PanesProps) {
  const { seen, size, state, rows } = props;
  const layout = layoutOf(size, {
    members: rows.members.length,
    keys: rows.keys.length + workOf(seen).length,
  });
  const { columns: width } = size;
  if (layout.kind === "one") {
    const { height } = layout;
    return (
      <>
        <Line width={width} spans={tabsText(state.pane)} />
        <OnePane {...props} pane={state.pane} width={width} height={height} />
      </>
    );
  }
  return (
    <>
      {PANES.map((pane) => (
        <OnePane
          {...props}
          key={pane}
          pane={pane}
          width={width}
          height={layout.heights[pane]}
        />
      ))}
    </>
  );
}

interface OnePaneProps extends PanesProps {
  readonly pane: PaneId;
  readonly width: number;
  readonly height: number;
}

function OnePane(props: OnePaneProps) {
  const { seen, state, rows, pane, width, height, intervalMs } = props;
  const isFocused = state.pane === pane;
  const chosen = isFocused ? selectedRow(state, rows) : -1;
  const given = { seen, width, height, isFocused, chosen };
  switch (pane) {
    case "members":
      return <MembersPane {...given} />;
    case "traffic": {
      const at = selectedRow({ ...state, pane }, rows);
      const member = rows.traffic[at] ?? "";
      return <TrafficPane {...given} member={member} intervalMs={intervalMs} />;
    }
    case "keys":
      return <KeysPane {...given} />;
    case "events":
      return <EventsPane {...given} />;
  }
}

/** Which panes there are, where only one is seen. */
function tabsText(pane: PaneId): string {
  const names = PANES.map((one) =>
    one === pane ? `[${TITLES[one]}]` : ` ${TITLES[one]} `
  );
  return names.join("  ");
}
