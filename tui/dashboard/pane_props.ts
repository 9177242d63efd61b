import type { Seen } from "./seen.ts";

/** What each pane is given. */
export interface PaneProps {
  readonly seen: Seen;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
  readonly isFocused: boolean;
  /** See Look. */
  readonly isUnicode: boolean;
  /** Row under the cursor; -1 in a pane that does not take the keys. */
  readonly chosen: number;
}
