const UNICODE = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII = ["_", ".", "-", "=", "+", "*", "#", "@"];

/**
 * The latest `width` of `values` as one character each, the newest at the
 * right; a blank for what is not known.
 */
export function sparkline(
  values: readonly (number | null)[],
  { width, isUnicode, max }: {
    readonly width: number;
    readonly isUnicode: boolean;
    /** Value of a full character; absent for the highest that is shown. */
    readonly max?: number;
  },
): string {
  const shown = width <= 0 ? [] : values.slice(-width);
  const top = max ?? Math.max(0, ...shown.map((value) => value ?? 0));
  const levels = isUnicode ? UNICODE : ASCII;
  const text = shown.map((value) =>
    value === null ? " " : levels[levelOf(value, top)] ?? " "
  ).join("");
  return text.padStart(Math.max(0, width));
}

/** 0 for zero alone: little is more than nothing. */
function levelOf(value: number, top: number): number {
  const last = ASCII.length - 1;
  if (!(value > 0) || !(top > 0)) return 0;
  return Math.max(1, Math.min(last, Math.round(value / top * last)));
}
