const COUNTS = ["", "k", "M", "G", "T"];

/** At most 6 characters: 0, 0.4, 7.2, 812, 9,999, 12.3k, 4.1M. */
export function countText(count: number): string {
  if (count === 0) return "0";
  if (count < 9.95) {
    return Number.isInteger(count) ? String(count) : count.toFixed(1);
  }
  if (count < 9_999.5) return thousands(Math.round(count));
  const [value, unit] = scaled(count, 1_000, COUNTS);
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)}${unit}`;
}

/** A second: as countText(), but with tenths below ten. */
export function rateText(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95
    ? perSecond.toFixed(1)
    : countText(perSecond);
}

/** At most 7 characters: 0.05 ms, 4.2 ms, 132 ms, 1.2 s, 40 s. */
export function latencyText(ms: number): string {
  if (ms < 0.995) return `${ms.toFixed(2)} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

/** Of an ageText() below 270 years. */
export const AGE_LENGTH_MAX = 7;

/** In the largest unit that fills: 0 s, 59 s, 12 min, 47 h, 12 d. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Whole percent, rounded down: 100 % is all of it and no less. */
export function percentText(share: number): string {
  // 0.29 * 100 is a little less than 29.
  const percent = Math.floor(share * 100 + 1e-9);
  return `${Math.min(100, Math.max(0, percent))} %`;
}

export function thousands(count: number | bigint): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** The largest unit in which it is at least 1, once it is rounded. */
function scaled(
  amount: number,
  step: number,
  units: readonly string[],
): readonly [number, string] {
  let value = amount;
  let unit = 0;
  while (value >= step - 0.5 && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return [value, units[unit] ?? ""];
}
