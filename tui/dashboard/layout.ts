import { isNarrow, type Size } from "../size.ts";
import { TRAFFIC_ROWS_MAX } from "./traffic_rows.ts";
import type { PaneId } from "./view_state.ts";

/** Above and below a pane, and its titles. */
const FRAME_ROWS = 3;
/** Above and below a pane that has no titles. */
const BORDER_ROWS = 2;
const TRAFFIC_ROWS_MIN = 3;
/** One line above all panes, one below. */
export const EDGE_ROWS = 2;

/** Rows that the panes would like to show. */
export interface PaneRows {
  readonly members: number;
  /** With one for each thing that is under way. */
  readonly keys: number;
}

/** Where panes are; heights and widths include borders. */
export type Layout =
  /** One at a time, below the names of all of them. */
  | { readonly kind: "one"; readonly height: number }
  /** One below the other, each as wide as the screen. */
  | {
    readonly kind: "all";
    readonly heights: Readonly<Record<PaneId, number>>;
  };

export function layoutOf(size: Size, rows: PaneRows): Layout {
  const room = size.rows - EDGE_ROWS;
  if (isNarrow(size)) return { kind: "one", height: room - 1 };
  const [members = 0, keys = 0, traffic = 0, events = 0] = shared(room, [
    paneOf(rows.members),
    paneOf(rows.keys),
    TRAFFIC,
    EVENTS,
  ]);
  return { kind: "all", heights: { members, traffic, keys, events } };
}

interface Wish {
  readonly least: number;
  readonly most: number;
}

const TRAFFIC: Wish = {
  least: TRAFFIC_ROWS_MIN + BORDER_ROWS,
  most: TRAFFIC_ROWS_MAX + BORDER_ROWS,
};
const EVENTS: Wish = { least: 2 + BORDER_ROWS, most: Infinity };

function paneOf(rows: number): Wish {
  return {
    least: Math.max(1, Math.min(rows, 2)) + FRAME_ROWS,
    most: Math.max(1, rows) + FRAME_ROWS,
  };
}

/** Everyone the least, then the first ones what they wish for. */
function shared(room: number, wishes: readonly Wish[]): readonly number[] {
  let left = room - wishes.reduce((sum, { least }) => sum + least, 0);
  return wishes.map(({ least, most }) => {
    const more = Math.max(0, Math.min(left, most - least));
    left -= more;
    return least + more;
  });
}
