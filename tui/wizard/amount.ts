const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** 1,536 bytes as 1.5 KiB. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1_024 && unit < SIZES.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 || Number.isInteger(size) ? 0 : 1;
  return `${size.toFixed(digits)} ${SIZES[unit]}`;
}

/** As people say it: 0.4 s, 40 s, 3 min, 2 h 5 min, 4 d 6 h. */
export function spanText(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two([hours, "h"], [minutes % 60, "min"]);
  return two([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

/** "22 min to 31 min"; one of them when they are the same. */
export function rangeText(least: number, most: number): string {
  const [from, to] = [spanText(least), spanText(most)];
  return from === to ? from : `${from} to ${to}`;
}

/** Unix ms as the time of day, UTC. */
export function clockText(ms: number): string {
  return isoOf(ms)?.slice(11, 19) ?? "-";
}

/** Unix ms as UTC, to the second. */
export function timeText(ms: number): string {
  return isoOf(ms)?.replace(/\.\d+/, "") ?? "-";
}

function isoOf(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function two(
  [first, unit]: readonly [number, string],
  [second, secondUnit]: readonly [number, string],
): string {
  const head = `${first} ${unit}`;
  return second === 0 ? head : `${head} ${second} ${secondUnit}`;
}
