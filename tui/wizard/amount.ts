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
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "-" : date.toISOString().slice(11, 19);
}

function two(
  [first, unit]: readonly [number, string],
  [second, secondUnit]: readonly [number, string],
): string {
  const head = `${first} ${unit}`;
  return second === 0 ? head : `${head} ${second} ${secondUnit}`;
}
