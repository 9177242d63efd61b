import { useWindowSize } from "ink";

/** Of the terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Below it nothing that can be relied on fits. */
export const SIZE_MIN: Size = { columns: 60, rows: 18 };

/** Below it one pane at a time is shown. */
const PANES_MIN: Size = { columns: 70, rows: 22 };

/** Follows the terminal as it is resized. */
export function useSize(): Size {
  return useWindowSize();
}

export function isTooSmall(size: Size): boolean {
  return isBelow(size, SIZE_MIN);
}

/** There is room for one pane at a time only. */
export function isNarrow(size: Size): boolean {
  return isBelow(size, PANES_MIN);
}

function isBelow(size: Size, least: Size): boolean {
  return size.columns < least.columns || size.rows < least.rows;
}
