import { fitted, widthOf } from "../text.ts";

const BAR_MAX = 40;
const BAR_MIN = 6;

/** A bar as text; the bar gives way before the label and the note do. */
export function barText({ ratio, label, note, width, isUnicode }: {
  readonly ratio: number | null;
  readonly label: string;
  readonly note: string;
  readonly width: number;
  readonly isUnicode: boolean;
}): string {
  const percent = ratio === null
    ? "  ? %"
    : `${percentOf(ratio)} %`.padStart(5);
  const start = label === "" ? "" : `${label} `;
  const end = note === "" ? ` ${percent}` : ` ${percent}  ${note}`;
  const room = width - widthOf(start) - widthOf(end) - 2;
  const cells = Math.max(BAR_MIN, Math.min(BAR_MAX, room));
  const full = filledOf(ratio ?? 0, cells);
  const [on, off] = isUnicode ? ["█", "░"] : ["#", "."];
  const bar = `[${on.repeat(full)}${off.repeat(cells - full)}]`;
  return fitted(`${start}${bar}${end}`, width);
}

/** Whole percent; 100 only when nothing is left. */
function percentOf(ratio: number): number {
  // A ratio of 0.58 is a little less than 58 hundredths.
  return Math.floor(clamped(ratio) * 100 + 1e-9);
}

function filledOf(ratio: number, cells: number): number {
  return Math.floor(clamped(ratio) * cells);
}

function clamped(ratio: number): number {
  return Number.isFinite(ratio) ? Math.max(0, Math.min(1, ratio)) : 0;
}
